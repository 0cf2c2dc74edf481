//! After the last fault: read everything until it is whole, or does not get better any more.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    ledger::{self, Count, Range, Reading},
    options::Options,
    outcome::{Place, Texts},
    truth::{METRIC, RECORDED},
    world::World,
};

const PAUSE: Duration = Duration::from_secs(2);
/// Servers that do not repair are waited for no longer than it takes to send what is on its way.
const PLAIN_LIMIT: Duration = Duration::from_secs(15);

/// What was read last.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) at_ms: i64,
    pub(super) places: Vec<Place>,
    /// Samples that the places do not all show alike; nothing where there is only one place.
    pub(super) different: Option<u64>,
    pub(super) texts: Texts,
    pub(super) remote: Option<Place>,
    pub(super) notes: Vec<String>,
}

impl Settled {
    fn is_whole(&self) -> bool {
        let mut places = self.places.iter().chain(&self.remote);
        places.all(Place::is_whole) && self.different.unwrap_or(0) == 0 && self.texts.different == 0
    }
}

pub(super) async fn settle(
    world: &mut World,
    stop: &CancellationToken,
    options: &Options,
    range: Range,
) -> anyhow::Result<Settled> {
    let limit = if world.setup.is_cluster() { options.settle } else { PLAIN_LIMIT };
    let give_up_ms = world.now_ms() + limit.as_millis() as i64;
    loop {
        let next_ms = world.now_ms() + PAUSE.as_millis() as i64;
        while world.now_ms() < next_ms && !stop.is_cancelled() {
            world.tick()?;
            world.runtime.clock.sleep(super::TICK).await;
        }
        let settled = look(world, range).await;
        if settled.is_whole() || stop.is_cancelled() || world.now_ms() > give_up_ms {
            return Ok(settled);
        }
    }
}

async fn look(world: &World, range: Range) -> Settled {
    let mut settled = Settled { at_ms: world.now_ms(), ..Settled::default() };
    let mut readings = Vec::new();
    let places = world.places();
    for (name, base) in &places {
        let (place, reading) = read(world, name, base, range, &mut settled.notes).await;
        settled.places.push(place);
        readings.push(reading);
    }
    if let Some(base) = world.remote_base() {
        let (place, _) = read(world, "the remote end", &base, range, &mut settled.notes).await;
        settled.remote = Some(place);
    }
    if readings.len() > 1 {
        settled.different = Some(ledger::differences(range, &readings));
        settled.texts = texts(world, &places, range).await;
    }
    settled
}

async fn read(
    world: &World,
    name: &str,
    base: &str,
    range: Range,
    notes: &mut Vec<String>,
) -> (Place, Reading) {
    let reading = match world.reader.read(base, range).await {
        Ok((reading, warnings)) => {
            notes.extend(warnings.iter().map(|warning| format!("{name} warns: {warning}")));
            reading
        }
        Err(error) => {
            notes.push(format!("{name} does not answer: {error:#}"));
            Reading::new()
        }
    };
    let count = |keys: Vec<_>| -> Count { ledger::count(&world.truth, &keys, range, &reading) };
    let (raw, recorded) = (count(world.truth.raw_keys()), count(world.truth.recorded_keys()));
    (Place { name: name.to_owned(), raw, recorded }, reading)
}

/// Compares answers as text.
async fn texts(world: &World, places: &[(String, String)], range: Range) -> Texts {
    let expressions = [
        METRIC.to_owned(),
        RECORDED.to_owned(),
        format!("sum by (target) (rate({METRIC}[5s]))"),
        format!("count({METRIC})"),
    ];
    let mut texts = Texts::default();
    for expression in expressions {
        let mut answers = Vec::new();
        for (_, base) in places {
            answers.push(world.reader.text(base, &expression, range).await.ok());
        }
        texts.asked += 1;
        let are_alike = answers.iter().all(|answer| answer.is_some() && *answer == answers[0]);
        texts.different += u64::from(!are_alike);
    }
    texts
}
