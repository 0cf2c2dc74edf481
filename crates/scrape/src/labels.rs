//! From discovered labels to a target's labels, by the job's settings and relabelling. Pure.

use std::time::Duration;

use model::{Labels, LabelsBuilder, TargetGroup};

use crate::{Config, ingest::Forms};

const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const METRICS_PATH: &str = "__metrics_path__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
const UNIX_SOCKET: &str = "__unix_socket__";
const NATIVE_HISTOGRAMS: &str = "__scrape_native_histograms__";
const TO_NHCB: &str = "__convert_classic_histograms_to_nhcb__";
const ALWAYS_CLASSIC: &str = "__always_scrape_classic_histograms__";

const KNOWN_UNITS: [&str; 7] = ["ms", "s", "m", "h", "d", "w", "y"];

/// A target as its labels say it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity {
    /// Before relabelling.
    pub(crate) discovered: Labels,
    /// After it, with the internal ones that begin with two underscores.
    pub(crate) labels: Labels,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

/// What became of one target of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Target(Identity),
    /// Labels before relabelling.
    Dropped(Labels),
}

/// The targets of a group, and what is wrong with others.
pub(crate) fn targets(config: &Config, group: &TargetGroup) -> (Vec<Outcome>, Vec<String>) {
    let mut outcomes = Vec::with_capacity(group.targets.len());
    let mut errors = Vec::new();
    for (idx, target) in group.targets.iter().enumerate() {
        match populate(config, target, &group.labels) {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => {
                errors.push(format!("instance {idx} in group {}: {error}", group.source));
            }
        }
    }
    (outcomes, errors)
}

/// The labels of a target before relabelling and after it, for those who only want to look; none
/// after it if the target is dropped.
pub fn preview(config: &Config, own: &Labels, group: &Labels) -> (Labels, Result<Labels, String>) {
    let discovered = discover(config, own, group).build();
    let labels = populate(config, own, group).map(|outcome| match outcome {
        Outcome::Target(identity) => identity.labels,
        Outcome::Dropped(_) => Labels::empty(),
    });
    (discovered, labels)
}

fn populate(config: &Config, own: &Labels, group: &Labels) -> Result<Outcome, String> {
    let mut labels = discover(config, own, group);
    let discovered = labels.build();
    if !relabel::apply(&config.relabel_rules, &mut labels) {
        return Ok(Outcome::Dropped(discovered));
    }
    let address = labels.get(ADDRESS).to_owned();
    if address.is_empty() && labels.get(UNIX_SOCKET).is_empty() {
        return Err("no address".to_owned());
    }
    if address.contains('/') {
        return Err(format!("{} is not a valid hostname", model::labels::quote(&address)));
    }
    let interval = duration(&labels, INTERVAL, "interval")?;
    let timeout = duration(&labels, TIMEOUT, "timeout")?;
    if timeout > interval {
        return Err(format!(
            "scrape timeout cannot be greater than scrape interval ({:?} > {:?})",
            labels.get(TIMEOUT),
            labels.get(INTERVAL)
        ));
    }
    check_bool(&labels, NATIVE_HISTOGRAMS, "scrape native histograms")?;
    check_bool(&labels, TO_NHCB, "convert classic histograms to nhcb")?;
    check_bool(&labels, ALWAYS_CLASSIC, "always scrape classic histograms")?;
    labels.retain(|name| !name.starts_with("__meta_"));
    if labels.get("instance").is_empty() {
        labels.set("instance", &address);
    }
    let labels = labels.build();
    // Without a label that shows, samples of different targets could not be told apart.
    if visible(&labels).is_empty() {
        return Ok(Outcome::Dropped(discovered));
    }
    Ok(Outcome::Target(Identity { discovered, labels, interval, timeout }))
}

/// The labels before relabelling: the target's own, then the group's, then the job's.
fn discover(config: &Config, own: &Labels, group: &Labels) -> LabelsBuilder {
    let mut labels = LabelsBuilder::new(own);
    for (name, value) in group.iter().filter(|(name, _)| own.get(name).is_none()) {
        labels.set(name, value);
    }
    let interval = model::duration::format(config.scrape_interval);
    let timeout = model::duration::format(config.scrape_timeout);
    let bool = |value| if value { "true" } else { "false" };
    for (name, value) in [
        ("job", config.job_name.as_str()),
        (INTERVAL, &interval),
        (TIMEOUT, &timeout),
        (METRICS_PATH, &config.metrics_path),
        (SCHEME, &config.scheme),
        (NATIVE_HISTOGRAMS, bool(config.scrape_native_histograms)),
        (TO_NHCB, bool(config.convert_classic_histograms_to_nhcb)),
        (ALWAYS_CLASSIC, bool(config.always_scrape_classic_histograms)),
    ] {
        if labels.get(name).is_empty() {
            labels.set(name, value);
        }
    }
    for (name, values) in &config.params {
        let label = format!("__param_{name}");
        if let Some(first) = values.first()
            && labels.get(&label).is_empty()
        {
            labels.set(&label, first);
        }
    }
    labels
}

fn duration(labels: &LabelsBuilder, name: &str, what: &str) -> Result<Duration, String> {
    let text = labels.get(name);
    let duration = model::duration::parse(text).map_err(|error| {
        let number = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(number);
        let is_unit = !unit.is_empty() && unit.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !number.is_empty() && is_unit && !KNOWN_UNITS.contains(&unit) {
            format!("error parsing scrape {what}: unknown unit {unit:?} in duration {text:?}")
        } else {
            format!("error parsing scrape {what}: {error}")
        }
    })?;
    if duration.is_zero() {
        return Err(format!("scrape {what} cannot be 0"));
    }
    Ok(duration)
}

/// What Go's `ParseBool` takes for yes and for no.
const YES: [&str; 6] = ["1", "t", "T", "true", "TRUE", "True"];
const NO: [&str; 6] = ["0", "f", "F", "false", "FALSE", "False"];

fn check_bool(labels: &LabelsBuilder, name: &str, what: &str) -> Result<(), String> {
    let value = labels.get(name);
    if YES.contains(&value) || NO.contains(&value) {
        return Ok(());
    }
    Err(format!("error parsing {what}: strconv.ParseBool: parsing {value:?}: invalid syntax"))
}

/// Which forms of the target's histograms are stored.
pub(crate) fn histogram_forms(labels: &Labels) -> Forms {
    let is_set = |name| YES.contains(&labels.value(name));
    Forms {
        native: is_set(NATIVE_HISTOGRAMS),
        always_classic: is_set(ALWAYS_CLASSIC),
        converts_to_custom_buckets: is_set(TO_NHCB),
    }
}

/// The labels that samples get.
pub(crate) fn visible(labels: &Labels) -> Labels {
    labels.filter(|name| !name.starts_with("__"))
}

/// The URL as upstream prints it, from labels and the job's parameters.
pub(crate) fn url(config: &Config, labels: &Labels) -> String {
    let mut params = config.params.clone();
    for (name, value) in labels.iter() {
        let Some(name) = name.strip_prefix("__param_") else { continue };
        let values = params.entry(name.to_owned()).or_default();
        match values.first_mut() {
            Some(first) => value.clone_into(first),
            None => values.push(value.to_owned()),
        }
    }
    let address = match labels.value(ADDRESS) {
        "" => "localhost",
        address => address,
    };
    let path = labels.value(METRICS_PATH);
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    let mut url = format!("{}://{address}{slash}", labels.value(SCHEME));
    escape(path, b"-_.~/$&+,:;=@!'()*", &mut url);
    let mut separator = '?';
    for (name, value) in params.iter().flat_map(|(n, values)| values.iter().map(move |v| (n, v))) {
        url.push(separator);
        separator = '&';
        escape(name, b"-_.~ ", &mut url);
        url.push('=');
        escape(value, b"-_.~ ", &mut url);
    }
    url
}

/// Percent-encodes all but letters, digits and what `keeps` lists; a blank that is kept is a plus.
fn escape(text: &str, keeps: &[u8], out: &mut String) {
    for byte in text.bytes() {
        if byte == b' ' && keeps.contains(&byte) {
            out.push('+');
        } else if byte.is_ascii_alphanumeric() || keeps.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

pub(crate) fn unix_socket(labels: &Labels) -> Option<&str> {
    labels.get(UNIX_SOCKET).filter(|path| !path.is_empty())
}

/// Checks the limits on labels of a series; the error is upstream's.
pub(crate) fn check_limits(config: &Config, labels: &Labels) -> Result<(), String> {
    let metric = truncate(labels.metric_name());
    let n_labels = labels.len() as u64;
    if config.label_limit > 0 && n_labels > config.label_limit {
        let limit = config.label_limit;
        return Err(format!(
            "label_limit exceeded (metric: {metric}, number of labels: {n_labels}, limit: {limit})"
        ));
    }
    let (name_limit, value_limit) =
        (config.label_name_length_limit, config.label_value_length_limit);
    if name_limit == 0 && value_limit == 0 {
        return Ok(());
    }
    for (name, value) in labels.iter() {
        let length = name.len() as u64;
        if name_limit > 0 && length > name_limit {
            let name = truncate(name);
            return Err(format!(
                "label_name_length_limit exceeded (metric: {metric}, label name: {name}, length: {length}, limit: {name_limit})"
            ));
        }
        let length = value.len() as u64;
        if value_limit > 0 && length > value_limit {
            let (name, value) = (truncate(name), model::labels::quote(&truncate(value)));
            return Err(format!(
                "label_value_length_limit exceeded (metric: {metric}, label name: {name}, value: {value}, length: {length}, limit: {value_limit})"
            ));
        }
    }
    Ok(())
}

/// What Go's `%.50s` prints.
fn truncate(text: &str) -> String {
    text.chars().take(50).collect()
}
