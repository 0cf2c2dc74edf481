/// Metric families in the making; samples of a family are pushed one after the other.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) families: Vec<Family>,
}

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) help: &'static str,
    pub(crate) is_counter: bool,
    pub(crate) samples: Vec<(Vec<(&'static str, String)>, f64)>,
}

impl Page {
    pub(crate) fn gauge(
        &mut self,
        name: &str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        value: f64,
    ) {
        self.push(name, help, false, labels, value);
    }

    pub(crate) fn counter(
        &mut self,
        name: &str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        value: f64,
    ) {
        self.push(name, help, true, labels, value);
    }

    fn push(
        &mut self,
        name: &str,
        help: &'static str,
        is_counter: bool,
        labels: &[(&'static str, &str)],
        value: f64,
    ) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let known = self.families.iter_mut().find(|family| family.name == name);
        match known {
            Some(family) => family.samples.push((labels, value)),
            None => self.families.push(Family {
                name: name.to_owned(),
                help,
                is_counter,
                samples: vec![(labels, value)],
            }),
        }
    }
}
