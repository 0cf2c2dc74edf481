use alertmanager::matcher::Mode;

/// What `--enable-feature` turns on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Features {
    pub alert_names_in_metrics: bool,
    pub receiver_name_in_metrics: bool,
    pub group_key_in_metrics: bool,
    /// How matchers and label names are read.
    pub mode: Mode,
    /// Known, and without effect here.
    pub auto_gomemlimit: bool,
    pub event_recorder: bool,
}

impl Features {
    /// Reads a list with commas; the error's words are upstream's.
    pub fn parse(list: &str) -> Result<Features, String> {
        let mut features = Features::default();
        let (mut is_classic, mut is_strict) = (false, false);
        for name in list.split(',').filter(|_| !list.is_empty()) {
            let switch = match name {
                "alert-names-in-metrics" => &mut features.alert_names_in_metrics,
                "receiver-name-in-metrics" => &mut features.receiver_name_in_metrics,
                "group-key-in-metrics" => &mut features.group_key_in_metrics,
                "classic-mode" => &mut is_classic,
                "utf8-strict-mode" => &mut is_strict,
                "auto-gomemlimit" => &mut features.auto_gomemlimit,
                "event-recorder" => &mut features.event_recorder,
                _ => return Err(format!("unknown option '{name}' for --enable-feature")),
            };
            *switch = true;
        }
        features.mode = match (is_classic, is_strict) {
            (true, true) => return Err("cannot have both classic and UTF-8 modes enabled".into()),
            (true, false) => Mode::Classic,
            (false, true) => Mode::Utf8Strict,
            (false, false) => Mode::Fallback,
        };
        Ok(features)
    }
}
