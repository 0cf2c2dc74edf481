use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};
use http::StatusCode;

use super::POST;
use crate::{
    Outcome, World,
    api::{Api, Failure, PostableSilence, PostedSilence},
    arguments::{Global, SilenceImport},
};

pub(crate) async fn import(
    global: &Global,
    mut world: World,
    import: SilenceImport,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let text = match (&import.file, world.stdin.take()) {
        (Some(path), _) => world
            .runtime
            .disk
            .read_to_string(path)
            .with_context(|| format!("open {}", path.display()))?,
        (None, Some(read)) => read()?,
        (None, None) => anyhow::bail!("couldn't unmarshal input data, is it JSON?: EOF"),
    };
    let mut silences: Vec<PostableSilence> = serde_json::from_str(&text)
        .map_err(|error| anyhow::anyhow!("couldn't unmarshal input data, is it JSON?: {error}"))?;
    if import.force {
        // Without an id each is a new one.
        silences.iter_mut().for_each(|silence| silence.id.clear());
    }
    let api = Api::new(global, &world, outcome).await?;
    let count = silences.len();
    let mut n_failed = 0;
    let posts = silences.into_iter().map(|silence| post(&api, silence));
    let mut results = stream::iter(posts).buffered(import.workers.max(1));
    while let Some((id, result)) = results.next().await {
        match result {
            Ok(new_id) => outcome.stdout.push_str(&format!("{new_id}\n")),
            Err(error) => {
                n_failed += 1;
                outcome.stderr.push_str(&format!("Error adding silence id='{id}': {error:#}\n"));
            }
        }
    }
    anyhow::ensure!(n_failed == 0, "couldn't import {n_failed} out of {count} silences");
    Ok(())
}

/// The old id, and the new one or why there is none.
async fn post(api: &Api, mut silence: PostableSilence) -> (String, anyhow::Result<String>) {
    let id = silence.id.clone();
    let mut result = api.post::<PostedSilence>(&POST, "/silences", &silence).await;
    let is_unknown = |error: &anyhow::Error| {
        let failure = error.downcast_ref::<Failure>();
        failure.is_some_and(|failure| failure.status == StatusCode::NOT_FOUND)
    };
    if result.as_ref().is_err_and(is_unknown) {
        silence.id.clear();
        result = api.post(&POST, "/silences", &silence).await;
    }
    (id, result.map(|posted| posted.id))
}
