//! `config show`, and how dates look.

use alertmanager::time::Time;

use receivers::to_go_json;

use crate::{
    Outcome, World,
    api::Api,
    arguments::{Global, Output},
};

pub(crate) async fn run(
    global: &Global,
    world: &World,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let api = Api::new(global, world, outcome).await?;
    let status = api.status().await?;
    let original = &status.config.original;
    let text = match global.output {
        Output::Simple => format!("{original}\n"),
        Output::Json => to_go_json(&status),
        // Upstream prints where in memory these are; what they are is more useful.
        Output::Extended => {
            let version = &status.version_info;
            format!(
                "{original}\nbuildUser {}\ngoVersion {}\nrevision {}\nversion {}\nbranch {}\nbuildDate {}\nuptime {}\n",
                version.build_user,
                version.go_version,
                version.revision,
                version.version,
                version.branch,
                version.build_date,
                status.uptime
            )
        }
    };
    outcome.stdout.push_str(&text);
    Ok(())
}

/// A time of the API as the user wants to see it.
pub(crate) fn date(text: &str, global: &Global) -> String {
    match Time::parse(text) {
        Some(time) => gotemplate::Time(time.to_zoned()).format(&global.date_format),
        None => text.to_owned(),
    }
}

/// A time on the command line; the complaint is Go's.
pub(crate) fn parse_time(text: &str) -> anyhow::Result<Time> {
    Time::parse(text).ok_or_else(|| {
        let layout = "2006-01-02T15:04:05Z07:00";
        anyhow::anyhow!("parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\"")
    })
}
