use telemetry::{Family, Kind};

/// Metric families in the making; the samples of a family are pushed one after the other.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) families: Vec<Family>,
}

impl Page {
    pub(crate) fn gauge(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        self.push(name, help, Kind::Gauge, labels, value);
    }

    pub(crate) fn counter(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        self.push(name, help, Kind::Counter, labels, value);
    }

    fn push(&mut self, name: &str, help: &str, kind: Kind, labels: &[(&str, &str)], value: f64) {
        match self.families.iter_mut().find(|family| family.name == name) {
            Some(family) => family.push(labels, value),
            None => self.families.push(Family::new(name, help, kind).with(labels, value)),
        }
    }
}
