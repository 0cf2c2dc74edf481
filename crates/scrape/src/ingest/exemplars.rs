use exposition::Series;
use storage::{Exemplar, ExemplarError, SeriesRef};
use tracing::debug;

use super::{Ingest, IngestError};

impl Ingest<'_> {
    /// Hands the exemplars of a sample on, oldest first; the storage may have some of them.
    pub(super) fn exemplars<'e, E>(
        &mut self,
        found: SeriesRef,
        series: &Series<'_>,
        exemplars: &'e [E],
    ) -> Result<(), IngestError>
    where
        E: std::borrow::Borrow<exposition::Exemplar<'e>>,
    {
        let time = series.timestamp.filter(|_| self.context.config.honor_timestamps);
        let time = time.unwrap_or(self.context.time);
        let mut told = Vec::with_capacity(exemplars.len());
        for exemplar in exemplars {
            let exemplar = exemplar.borrow();
            told.push(Exemplar {
                labels: exemplar.labels()?,
                value: exemplar.value,
                time: exemplar.timestamp.unwrap_or(time),
            });
        }
        told.sort_by(|a, b| a.time.cmp(&b.time).then(a.value.total_cmp(&b.value)));
        let mut n_out_of_order = 0;
        for exemplar in &told {
            match self.appender.append_exemplar(found, exemplar) {
                Ok(()) => {}
                Err(ExemplarError::OutOfOrder) => n_out_of_order += 1,
                // An exemplar is not worth a scrape.
                Err(error) => debug!(%error, "exemplar not taken"),
            }
        }
        // If only some are, the histogram still shows exemplars that it showed before.
        if n_out_of_order == told.len() {
            self.refused.exemplars_out_of_order += n_out_of_order;
            self.context.metrics.exemplars_out_of_order.add(n_out_of_order as f64);
        }
        Ok(())
    }
}
