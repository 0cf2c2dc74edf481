//! Our series and those of peers, as one.

use std::sync::Arc;

use futures_util::future::join_all;
use hashbrown::HashMap;
use model::{Labels, Matcher, TimeRange};
use storage::{
    Columns, LabelHints, LabelValues, Querier, Queryable, Result, SelectHints, Series, SeriesSet,
};
use tokio::runtime::Handle;

use crate::{
    Peer,
    peer::{Budget, Found},
    wire::Chunk,
};

/// A peer, and the stretches of time in which it may know what is lacking here.
#[derive(Clone)]
pub struct Ask {
    pub peer: Peer,
    pub stretches: Vec<TimeRange>,
}

/// Decides whom to ask for a range of time; nobody, most often.
pub type Choose = Arc<dyn Fn(TimeRange) -> Vec<Ask> + Send + Sync>;

/// A store that is completed from peers where `choose` says so; elsewhere it answers as if there
/// were none.
///
/// Samples are identified by series and time; where two differ the rule of [`storage::Sample`]
/// decides, as it will once they have been repaired.
pub struct Merged {
    local: Arc<dyn Queryable>,
    choose: Choose,
    /// For the answers of all peers to one selection.
    budget_bytes: usize,
    /// Queries block; requests do not.
    tasks: Handle,
}

impl Merged {
    /// Call it inside of a Tokio runtime.
    pub fn new(local: Arc<dyn Queryable>, choose: Choose, budget_bytes: usize) -> Merged {
        Merged { local, choose, budget_bytes, tasks: Handle::current() }
    }
}

impl Queryable for Merged {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier>> {
        let local = self.local.querier(range)?;
        let mut questions = Vec::new();
        for Ask { peer, stretches } in (self.choose)(range) {
            let within = stretches.iter().filter(|stretch| stretch.overlaps(range));
            questions.extend(within.map(|stretch| Question {
                peer: peer.clone(),
                range: TimeRange {
                    start: stretch.start.max(range.start),
                    end: stretch.end.min(range.end),
                },
            }));
        }
        if questions.is_empty() {
            return Ok(local);
        }
        let (budget_bytes, tasks) = (self.budget_bytes, self.tasks.clone());
        Ok(Box::new(MergedQuerier { local, questions, budget_bytes, tasks }))
    }
}

/// One stretch of time that one peer is asked for.
struct Question {
    peer: Peer,
    range: TimeRange,
}

struct MergedQuerier {
    local: Box<dyn Querier>,
    questions: Vec<Question>,
    budget_bytes: usize,
    tasks: Handle,
}

impl Querier for MergedQuerier {
    fn select(&self, sorted: bool, hints: &SelectHints, matchers: &[Matcher]) -> Result<SeriesSet> {
        let budget = Budget::new(self.budget_bytes);
        let answers =
            self.ask(|question| question.peer.series(question.range, hints, matchers, &budget));
        let mut set = self.local.select(sorted, hints, matchers)?;
        let mut remote = collect(&self.questions, answers, &mut set.warnings);
        if remote.is_empty() {
            return Ok(set);
        }
        for series in &mut set.series {
            let labels = series.labels();
            if let Some(sources) = remote.remove(&labels) {
                *series = Arc::new(MergedSeries { labels, local: Some(series.clone()), sources });
            }
        }
        let only_remote = remote.into_iter().map(|(labels, sources)| {
            Arc::new(MergedSeries { labels, local: None, sources }) as Arc<dyn Series>
        });
        set.series.extend(only_remote);
        if sorted || hints.limit > 0 {
            set.series.sort_by_cached_key(|series| series.labels());
        }
        if hints.limit > 0 {
            set.series.truncate(hints.limit);
        }
        Ok(set)
    }

    fn label_values(
        &self,
        name: &str,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> Result<LabelValues> {
        let answers =
            self.ask(|question| question.peer.label_values(name, question.range, hints, matchers));
        Ok(united(self.local.label_values(name, hints, matchers)?, answers, hints))
    }

    fn label_names(&self, hints: &LabelHints, matchers: &[Matcher]) -> Result<LabelValues> {
        let answers =
            self.ask(|question| question.peer.label_names(question.range, hints, matchers));
        Ok(united(self.local.label_names(hints, matchers)?, answers, hints))
    }
}

impl MergedQuerier {
    /// The answers to all questions, which are asked at once.
    fn ask<'a, F: Future>(&'a self, ask: impl Fn(&'a Question) -> F) -> Vec<F::Output> {
        // Whoever selects waits, also on a thread that others wait for.
        runtime::blocking(|| self.tasks.block_on(join_all(self.questions.iter().map(ask))))
    }
}

/// What one peer knows of a series in one stretch of time.
struct Source {
    range: TimeRange,
    /// Sorted by start.
    chunks: Vec<Chunk>,
}

fn collect(
    questions: &[Question],
    answers: Vec<Found>,
    warnings: &mut Vec<String>,
) -> HashMap<Labels, Vec<Source>, foldhash::fast::RandomState> {
    let mut sources: HashMap<_, Vec<Source>, _> = HashMap::default();
    for (question, found) in questions.iter().zip(answers) {
        for warning in found.warnings {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        for (labels, mut chunks) in found.series {
            chunks.sort_by_key(|chunk| chunk.start);
            sources.entry(labels).or_default().push(Source { range: question.range, chunks });
        }
    }
    sources
}

fn united(local: LabelValues, answers: Vec<LabelValues>, hints: &LabelHints) -> LabelValues {
    let LabelValues { mut values, mut warnings } = local;
    for answer in answers {
        values.extend(answer.values);
        warnings.extend(answer.warnings);
    }
    values.sort();
    values.dedup();
    if hints.limit > 0 {
        values.truncate(hints.limit);
    }
    LabelValues { values, warnings }
}

struct MergedSeries {
    labels: Labels,
    local: Option<Arc<dyn Series>>,
    sources: Vec<Source>,
}

impl Series for MergedSeries {
    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn read(&self, range: TimeRange, columns: &mut Columns) -> Result<()> {
        let begin = columns.mark();
        if let Some(local) = &self.local {
            local.read(range, columns)?;
        }
        for source in &self.sources {
            let split = columns.mark();
            source.read(range, columns)?;
            columns.merge_replicas(begin, split);
        }
        Ok(())
    }
}

impl Source {
    fn read(&self, range: TimeRange, columns: &mut Columns) -> Result<()> {
        let begin = columns.mark();
        let range = TimeRange {
            start: range.start.max(self.range.start),
            end: range.end.min(self.range.end),
        };
        let is_needed = |chunk: &&Chunk| {
            chunk.start <= range.end.as_millis() && range.start.as_millis() <= chunk.end
        };
        for chunk in self.chunks.iter().filter(is_needed) {
            let split = columns.mark();
            chunk.read(columns).map_err(|error| storage::Error::Corrupt {
                what: "chunk of a member".to_owned(),
                detail: error.to_string(),
            })?;
            columns.merge_replicas(begin, split);
        }
        columns.cut(begin, range);
        Ok(())
    }
}
