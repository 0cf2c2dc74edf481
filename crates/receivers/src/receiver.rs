//! A receiver: a name, and whom it tells by which integrations.

use std::collections::BTreeMap;

use settings::{
    decode::{Broken, List, Section, Setting as _},
    record,
};

use crate::{
    Global, Settings, discord, email, incidentio, jira, mattermost, msteams, msteamsv2, opsgenie,
    pagerduty, pushover, rocketchat, slack, sns, telegram, victorops, webex, webhook, wechat,
};

/// The table of all integrations: hands `key` and module of each to a macro.
macro_rules! for_each_integration {
    ($callback:ident) => {
        $callback! {
            discord_configs: discord,
            email_configs: email,
            incidentio_configs: incidentio,
            pagerduty_configs: pagerduty,
            slack_configs: slack,
            webhook_configs: webhook,
            opsgenie_configs: opsgenie,
            wechat_configs: wechat,
            pushover_configs: pushover,
            victorops_configs: victorops,
            sns_configs: sns,
            telegram_configs: telegram,
            webex_configs: webex,
            msteams_configs: msteams,
            msteamsv2_configs: msteamsv2,
            jira_configs: jira,
            rocketchat_configs: rocketchat,
            mattermost_configs: mattermost,
        }
    };
}
pub(crate) use for_each_integration;

macro_rules! define_receiver {
    ($($key:ident: $module:ident),* $(,)?) => {
        record! {
            /// An entry of `receivers`. Without integrations it tells nobody, which is allowed.
            pub struct Receiver: "config.plain" {
                name: String = always,
                labels: BTreeMap<String, String>,
                $( $key: List<$module::Config>, )*
            }
        }

        impl Receiver {
            /// Fills in what the integrations leave to `global`.
            pub fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
                $( inherit(&mut self.$key, global)?; )*
                Ok(())
            }

            /// Makes the paths in each `http_config` relative to `directory`; all others stay
            /// relative to where the process runs, as upstream has it.
            pub fn set_http_directory(&mut self, directory: &str) {
                $( set_http_directory(&mut self.$key, directory); )*
            }
        }
    };
}

for_each_integration!(define_receiver);

impl Section for Receiver {
    fn check(&mut self) -> Result<(), Broken> {
        if self.name.is_empty() {
            return Err("missing name in receiver".into());
        }
        let label = self.labels.entry("name".to_owned()).or_insert_with(|| self.name.clone());
        if *label != self.name {
            let name = &self.name;
            return Err(format!(
                "receiver label \"name\" must match receiver name {name:?}, got {label:?}"
            )
            .into());
        }
        Ok(())
    }
}

fn inherit<T: Settings>(list: &mut List<T>, global: &Global) -> Result<(), Broken> {
    if let Err(null) = list.refuse_null(&format!("missing {} config", T::NAME)) {
        // What upstream misses in an empty entry is more telling than that it is empty.
        let missed = T::default().inherit(global).map_err(|missed| missed.or_at(null.line));
        let is_told = ["slack", "opsgenie", "wechat", "rocketchat"].contains(&T::NAME);
        return if is_told { missed.and(Err(null)) } else { Err(null) };
    }
    for (line, settings) in list.with_lines() {
        settings.inherit(global).map_err(|broken| broken.or_at(line))?;
    }
    Ok(())
}

fn set_http_directory<T: Settings>(list: &mut List<T>, directory: &str) {
    for (_, settings) in list.with_lines() {
        if let Some(http) = settings.http() {
            http.set_directory(directory);
        }
    }
}
