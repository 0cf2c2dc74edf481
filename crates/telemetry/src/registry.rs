use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use parking_lot::Mutex;

use crate::{Counter, Family, Gauge, Histogram, Kind, Metric, Summary, instruments::Instrument};

/// Something that says its families when asked.
type Collect = Box<dyn Fn(&mut Vec<Family>) + Send + Sync>;

/// All metrics of a node. Cloning shares them.
#[derive(Clone, Default)]
pub struct Registry {
    /// Guards the list only; collectors are asked under it and may not register.
    collectors: Arc<Mutex<Vec<Collect>>>,
}

impl Registry {
    pub fn counter(&self, name: &'static str, help: &'static str) -> Counter {
        self.single(name, help, Kind::Counter, Counter::default())
    }

    pub fn gauge(&self, name: &'static str, help: &'static str) -> Gauge {
        self.single(name, help, Kind::Gauge, Gauge::default())
    }

    /// `bounds` ascend and leave out `+Inf`.
    pub fn histogram(&self, name: &'static str, help: &'static str, bounds: &[f64]) -> Histogram {
        self.single(name, help, Kind::Histogram, Histogram::new(bounds))
    }

    pub fn summary(&self, name: &'static str, help: &'static str, quantiles: &[f64]) -> Summary {
        self.single(name, help, Kind::Summary, Summary::new(quantiles))
    }

    pub fn counters<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Vector<Counter, N> {
        self.vector(name, help, Kind::Counter, labels, Counter::default)
    }

    pub fn gauges<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Vector<Gauge, N> {
        self.vector(name, help, Kind::Gauge, labels, Gauge::default)
    }

    pub fn histograms<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        bounds: &'static [f64],
    ) -> Vector<Histogram, N> {
        self.vector(name, help, Kind::Histogram, labels, || Histogram::new(bounds))
    }

    pub fn summaries<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        quantiles: &'static [f64],
    ) -> Vector<Summary, N> {
        self.vector(name, help, Kind::Summary, labels, || Summary::new(quantiles))
    }

    /// Registers families that are made at the moment when somebody asks.
    pub fn collect(&self, collect: impl Fn(&mut Vec<Family>) + Send + Sync + 'static) {
        self.collectors.lock().push(Box::new(collect));
    }

    /// All families, sorted by name; the readings of families of one name stand together.
    pub fn gather(&self) -> Vec<Family> {
        let mut families = Vec::new();
        for collect in self.collectors.lock().iter() {
            collect(&mut families);
        }
        let mut by_name: BTreeMap<String, Family> = BTreeMap::new();
        for family in families {
            match by_name.entry(family.name.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(family);
                }
                Entry::Occupied(mut entry) => entry.get_mut().metrics.extend(family.metrics),
            }
        }
        let mut families: Vec<Family> = by_name.into_values().collect();
        for family in &mut families {
            family.metrics.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        families.retain(|family| !family.metrics.is_empty());
        families
    }

    fn single<T: Instrument + Clone>(
        &self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        instrument: T,
    ) -> T {
        let shared = instrument.clone();
        self.collect(move |families| {
            let mut family = Family::new(name, help, kind);
            family.metrics.push(Metric { labels: Vec::new(), reading: shared.read() });
            families.push(family);
        });
        instrument
    }

    fn vector<T: Instrument + Clone, const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        labels: [&'static str; N],
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Vector<T, N> {
        let vector = Vector { children: Arc::default(), make: Arc::new(make) };
        let children = vector.children.clone();
        self.collect(move |families| {
            let mut family = Family::new(name, help, kind);
            for (values, child) in children.lock().iter() {
                let mut pairs: Vec<(String, String)> =
                    labels.iter().map(|l| (*l).to_owned()).zip(values.iter().cloned()).collect();
                pairs.sort();
                family.metrics.push(Metric { labels: pairs, reading: child.read() });
            }
            families.push(family);
        });
        vector
    }
}

/// An instrument for each set of label values.
#[derive(Clone)]
pub struct Vector<T, const N: usize> {
    children: Arc<Mutex<BTreeMap<[String; N], T>>>,
    make: Arc<dyn Fn() -> T + Send + Sync>,
}

impl<T: Clone, const N: usize> Vector<T, N> {
    /// The instrument for these label values, in the order in which the labels were declared.
    pub fn with(&self, values: [&str; N]) -> T {
        let key = values.map(str::to_owned);
        self.children.lock().entry(key).or_insert_with(|| (self.make)()).clone()
    }

    /// Forgets what no longer exists.
    pub fn remove(&self, values: [&str; N]) {
        self.children.lock().remove(&values.map(str::to_owned));
    }
}
