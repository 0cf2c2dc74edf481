//! The loop of one target: wait, ask, store, until nobody wants the target any more.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use exposition::content_type::{self, Reader};
use model::Timestamp;
use parking_lot::Mutex;
use storage::{Appendable, Appender};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};
use transport::client::{self, Client, Response};

use crate::{
    Config, Options,
    failure_log::FailureLog,
    fetch::{self, FetchError, Headers},
    ingest::{self, Context, Counts, Memory},
    metadata::Interner,
    metrics::Metrics,
    report::{Facts, Report},
    schedule,
    shared::{Answer, SharedAnswer, Sharing},
    target::Target,
};

/// Bodies up to this size, as sent, are taken in within half a millisecond: to hand the other tasks
/// of the thread over to another one would cost more.
const INLINE_BYTES: usize = 16 << 10;

/// For so long after a slot other servers may still know what was answered in it.
const SHARED_FOR: Duration = Duration::from_secs(30);

/// What all loops share.
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) runtime: runtime::Runtime,
    pub(crate) appendable: Arc<dyn Appendable>,
    pub(crate) metrics: Metrics,
    /// The node stops: loops end at once and leave their series as they are.
    pub(crate) shutdown: CancellationToken,
    /// The other servers that scrape the same targets.
    pub(crate) sharing: Option<Arc<dyn Sharing>>,
}

/// What the loops of a job share; a reload replaces it between two scrapes.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) config: Arc<Config>,
    pub(crate) client: Arc<Client>,
    pub(crate) headers: Headers,
    /// Sets the scrapes of this server apart from others'.
    pub(crate) seed: u64,
    pub(crate) failure_log: Option<Arc<FailureLog>>,
    /// Why no target of the job may be scraped.
    pub(crate) forced_error: Option<String>,
}

pub(crate) struct ScrapeLoop {
    world: Arc<World>,
    settings: watch::Receiver<Arc<Settings>>,
    interner: Arc<Interner>,
    target: Arc<Target>,
    report: Report,
    /// The settings of the last scrape.
    last_config: Option<Arc<Config>>,
    /// When the last scrape began, since the epoch.
    last_scrape: Option<Duration>,
    /// Speaks to the socket of a target that has one, with these settings. No other lock is taken
    /// while it is held.
    socket_client: Mutex<Option<(client::Config, Arc<Client>)>>,
}

/// What is stored of a scrape.
struct Stored {
    counts: Counts,
    error: Option<String>,
}

impl ScrapeLoop {
    pub(crate) fn new(
        world: Arc<World>,
        settings: watch::Receiver<Arc<Settings>>,
        interner: Arc<Interner>,
        target: Arc<Target>,
    ) -> ScrapeLoop {
        let report = Report::new(&target.labels);
        ScrapeLoop {
            world,
            settings,
            interner,
            target,
            report,
            last_config: None,
            last_scrape: None,
            socket_client: Mutex::default(),
        }
    }

    /// Scrapes until `stop`; then ends the series of the target, unless somebody has taken it over.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let shutdown = self.world.shutdown.clone();
        let mut turn = self.next_turn(None);
        let scrapes = async {
            loop {
                self.sleep_until(turn).await;
                let is_done = self.scrape(turn).await;
                turn = match self.missed_turn(turn).filter(|_| is_done) {
                    Some(missed) => missed,
                    None => self.next_turn(Some(turn)),
                };
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = stop.cancelled() => {}
            () = scrapes => {}
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = self.end(turn) => {}
        }
    }

    /// When to scrape next, since the epoch. A turn that was just missed is taken late; after a leap
    /// of the clock the rhythm begins anew.
    fn next_turn(&self, last: Option<Duration>) -> Duration {
        let now = self.world.runtime.clock.now();
        let interval = self.target.interval;
        match last.map(|last| last + interval) {
            Some(next) if now.abs_diff(next) < interval => next,
            _ => {
                let seed = self.settings.borrow().seed;
                now + schedule::wait(self.target.hash, seed, interval, now)
            }
        }
    }

    /// The turn after `last` if it is long over, as after the process was stopped for a while, and
    /// other servers may still say what was answered in it.
    fn missed_turn(&self, last: Duration) -> Option<Duration> {
        let (now, next) = (self.world.runtime.clock.now(), last + self.target.interval);
        let late = now.checked_sub(next)?;
        let is_missed = late >= self.target.interval && late < SHARED_FOR;
        (is_missed && self.world.sharing.is_some()).then_some(next)
    }

    async fn sleep_until(&self, moment: Duration) {
        let clock = &self.world.runtime.clock;
        clock.sleep(moment.saturating_sub(clock.now())).await;
    }

    /// False if the turn was left out.
    async fn scrape(&mut self, turn: Duration) -> bool {
        let world = self.world.clone();
        let (clock, options) = (&world.runtime.clock, &world.options);
        let settings = self.settings.borrow().clone();
        let (began, now) = (clock.monotonic(), clock.now());
        let interval = self.target.interval;
        let time = match (&world.sharing, options.adjust_timestamps) {
            // The slot is the identity of a sample, on all servers.
            (Some(_), _) => turn,
            (None, true) => schedule::align(now, turn, interval, options.timestamp_tolerance),
            (None, false) => now,
        };
        let time = Timestamp::from_millis(time.as_millis() as i64);
        if let Some(last) = self.last_scrape.replace(now) {
            world.metrics.interval_length(interval).observe_duration(now.saturating_sub(last));
        }
        let answer = match &world.sharing {
            Some(sharing) => match self.share(&**sharing, &settings, time).await {
                Some(answer) => answer,
                None => return false,
            },
            None => self.ask(&settings).await,
        };
        let is_small = answer.outcome.as_ref().is_ok_and(|a| a.body.len() <= INLINE_BYTES);
        let work = || {
            let store = || self.store(&settings, answer, time, began);
            let stored = catch_unwind(AssertUnwindSafe(store)).unwrap_or_else(|_| {
                let error = Some("scrape panicked, which is a bug".to_owned());
                Stored { counts: Counts::default(), error }
            });
            if let (Some(error), Some(log)) = (&stored.error, &settings.failure_log) {
                log.write(clock.now(), &settings.config.job_name, &self.target.url_text, error);
            }
            stored
        };
        let stored = if is_small { work() } else { runtime::blocking(work) };
        let took = clock.monotonic().saturating_sub(began);
        world.metrics.scrape_duration.observe_duration(took);
        if let Some(error) = &stored.error {
            let (scrape_pool, target) = (&settings.config.job_name, &self.target.url_text);
            let n_samples = stored.counts.total;
            debug!(scrape_pool, target, error, n_samples, "Scrape failed");
        }
        self.target.report(now, took, stored.error);
        true
    }

    async fn ask(&self, settings: &Settings) -> Answer {
        let began = self.world.runtime.clock.monotonic();
        let outcome = self.fetch(settings).await;
        Answer { took: self.world.runtime.clock.monotonic().saturating_sub(began), outcome }
    }

    /// Asks unless another server does.
    async fn share(
        &self,
        sharing: &dyn Sharing,
        settings: &Settings,
        slot: Timestamp,
    ) -> Option<Answer> {
        let Target { shared_key, timeout, .. } = *self.target;
        let clock = &self.world.runtime.clock;
        let ask = Box::pin(async {
            // What the target says now is no answer for a slot that is long over.
            let late = clock.now_millis().saturating_sub(slot.as_millis());
            match late < self.target.interval.as_millis() as i64 {
                true => self.ask(settings).await.share(),
                false => SharedAnswer::missed(),
            }
        });
        let shared = sharing.turn(shared_key, slot, timeout, ask).await?;
        (shared != SharedAnswer::missed()).then(|| Answer::read(&shared))
    }

    async fn fetch(&self, settings: &Settings) -> Result<Response, FetchError> {
        if let Some(error) = &settings.forced_error {
            return Err(FetchError::Refused(error.clone()));
        }
        let Settings { config, headers, .. } = settings;
        let client = self.client(settings)?;
        match &self.target.url {
            Ok(url) => fetch::fetch(&client, config, headers, url, self.target.timeout).await,
            Err(reason) => Err(FetchError::Refused(reason.clone())),
        }
    }

    /// That of the job, unless the target listens on a socket of its own.
    fn client(&self, settings: &Settings) -> Result<Arc<Client>, FetchError> {
        let Some(path) = &self.target.unix_socket else { return Ok(settings.client.clone()) };
        let http = &settings.config.http;
        let http = client::Config { unix_socket: Some(path.clone()), ..http.clone() };
        let mut kept = self.socket_client.lock();
        if let Some((_, client)) = kept.as_ref().filter(|(kept, _)| *kept == http) {
            return Ok(client.clone());
        }
        let client = Arc::new(Client::new(http.clone(), self.world.runtime.clone())?);
        *kept = Some((http, client.clone()));
        Ok(client)
    }

    /// Takes an answer in: its samples, staleness markers and the report become visible at once.
    fn store(
        &mut self,
        settings: &Settings,
        answer: Answer,
        time: Timestamp,
        began: Duration,
    ) -> Stored {
        let world = self.world.clone();
        let config = &settings.config;
        let memory = self.target.memory.clone();
        let mut memory = memory.lock();
        self.adopt(config, &mut memory);
        let mut appender = world.appendable.appender();
        let mut counts = Counts::default();
        let mut body_bytes = Some(0);
        let Answer { took, outcome } = answer;
        let answer = outcome.and_then(|response| {
            let body = fetch::decode(config, &response)?;
            Ok((response, body))
        });
        let result = match answer {
            Ok((response, body)) => {
                body_bytes = Some(body.len());
                let (ingested, result) =
                    self.ingest(config, &mut memory, &mut *appender, &response, &body, time);
                counts = ingested;
                result
            }
            Err(error) => {
                if matches!(error, FetchError::BodyTooLarge) {
                    world.metrics.exceeded_body_size_limit.increment();
                    body_bytes = None;
                }
                memory.cache.begin();
                Err(error.to_string())
            }
        };
        if result.is_err() {
            appender.rollback();
            appender = world.appendable.appender();
            ingest::mark_all_stale(&mut memory, &mut *appender, time);
        }
        if memory.cache.clean(result.is_ok()) {
            world.metrics.cache_flush_forced.increment();
        }
        memory.metadata.clean();
        drop(memory);
        let facts = Facts {
            is_up: result.is_ok(),
            // What another server must say, too, cannot count the time that storing took here.
            duration: match world.sharing {
                Some(_) => took,
                None => world.runtime.clock.monotonic().saturating_sub(began),
            },
            counts,
            timeout: self.target.timeout,
            body_bytes,
        };
        self.report.write(&mut *appender, time, config, &facts);
        self.commit(appender);
        Stored { counts, error: result.err() }
    }

    fn ingest(
        &self,
        config: &Config,
        memory: &mut Memory,
        appender: &mut dyn Appender,
        response: &Response,
        body: &[u8],
        time: Timestamp,
    ) -> (Counts, Result<(), String>) {
        let content_type = fetch::content_type(response);
        let choice = content_type::choose(content_type, config.fallback_scrape_protocol);
        // Nothing is nothing in any format.
        let reader = if body.is_empty() { Some(Reader::Text) } else { choice.reader };
        let Some(reader) = reader else {
            memory.cache.begin();
            let error = choice.complaint.unwrap_or_default();
            warn!(
                scrape_pool = config.job_name,
                target = self.target.url_text,
                content_type,
                error,
                "Failed to determine correct type of scrape target."
            );
            return (Counts::default(), Err(error));
        };
        let context = Context {
            config,
            labels: &self.target.labels,
            forms: self.target.forms,
            interner: &self.interner,
            metrics: &self.world.metrics,
            type_and_unit_labels: self.world.options.type_and_unit_labels,
            stores_start_zeros: self.world.options.stores_start_zeros,
            logs_metadata: self.world.options.logs_metadata,
            time,
            now: Timestamp::from_millis(self.world.runtime.clock.now_millis()),
            url: &self.target.url_text,
        };
        let (counts, result) = ingest::ingest(memory, appender, &context, reader, body);
        (counts, result.map_err(|error| error.to_string()))
    }

    /// Notes the settings; if they change what series are stored as, what is known of them is void.
    fn adopt(&mut self, config: &Arc<Config>, memory: &mut Memory) {
        let last = self.last_config.replace(config.clone());
        let Some(last) = last.filter(|last| !Arc::ptr_eq(last, config)) else { return };
        let is_same = last.honor_labels == config.honor_labels
            && last.metric_name_validation_scheme == config.metric_name_validation_scheme
            && last.label_limit == config.label_limit
            && last.label_name_length_limit == config.label_name_length_limit
            && last.label_value_length_limit == config.label_value_length_limit
            && last.metric_relabel_rules == config.metric_relabel_rules;
        if !is_same {
            memory.cache.forget_meanings();
        }
    }

    fn commit(&self, appender: Box<dyn Appender>) {
        if let Err(error) = appender.commit() {
            error!(target = self.target.url_text, %error, "Scrape commit failed");
        }
    }

    /// Ends the series with the turn that did not come, but late: if the target is back by then, it
    /// has newer samples, and the markers do not count.
    async fn end(&mut self, turn: Duration) {
        if self.last_scrape.is_none() {
            return;
        }
        let interval = self.target.interval;
        self.sleep_until(turn + interval + interval / 10).await;
        // Where it only has moved, its series go on elsewhere: a marker would stand for their next
        // sample.
        let sharing = self.world.sharing.as_ref();
        let has_moved = sharing.is_some_and(|sharing| !sharing.holds(self.target.shared_key));
        if self.target.is_taken_over() || has_moved {
            return;
        }
        let time = Timestamp::from_millis(turn.as_millis() as i64);
        runtime::blocking(|| {
            let mut appender = self.world.appendable.appender();
            {
                let mut memory = self.target.memory.lock();
                memory.cache.begin();
                ingest::mark_all_stale(&mut memory, &mut *appender, time);
            }
            self.report.end(&mut *appender, time);
            self.commit(appender);
        });
    }
}
