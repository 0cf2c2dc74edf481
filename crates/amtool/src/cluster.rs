//! `cluster show`.

use std::net::SocketAddr;

use receivers::to_go_json;

use crate::{
    Outcome, World,
    api::{Api, Cluster, Peer},
    arguments::{Global, Output},
    table::{row, table},
};

pub(crate) async fn show(
    global: &Global,
    world: &World,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let api = Api::new(global, world, outcome).await?;
    let Cluster { name, mut peers, status } = api.status().await?.cluster;
    if global.output == Output::Json {
        let cluster = Cluster { name, peers, status };
        outcome.stdout.push_str(&to_go_json(&cluster));
        return Ok(());
    }
    // The two lines are one table whose last column is not filled up.
    outcome.stdout.push_str(&format!("Cluster Status:  {status}\nNode Name:       {name}\n"));
    if global.output == Output::Extended {
        let address = |peer: &Peer| peer.address.parse::<SocketAddr>().ok();
        peers.sort_by_key(address);
        outcome.stdout.push_str(&peer_table(&peers));
    }
    Ok(())
}

fn peer_table(peers: &[Peer]) -> String {
    let mut rows = vec![row([&"Address", &"Name"])];
    rows.extend(peers.iter().map(|peer| row([&peer.address, &peer.name])));
    let laid_out = table(&rows);
    let (header, rest) = laid_out.split_once('\n').unwrap_or((&laid_out, ""));
    format!("\n{}\n{rest}", header.trim_end())
}
