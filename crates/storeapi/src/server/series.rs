//! `Series`: an answer that is made while it is sent.

use std::sync::Arc;

use futures_util::Stream;
use grpc::{Make, Request, Response, Status, guarded};
use proto::thanos::{SeriesRequest, SeriesResponse};

use super::{Inner, Place, is_raw, respond, selection::Selection};

/// Counts what is sent, and keeps the place until all of it is.
struct Counted {
    selection: Selection,
    inner: Arc<Inner>,
    _place: Place,
}

impl Inner {
    pub(super) async fn series(
        self: Arc<Self>,
        request: Request<SeriesRequest>,
    ) -> Result<Response<impl Stream<Item = Result<SeriesResponse, Status>> + use<>>, Status> {
        let is_raw = is_raw(&request);
        let place = self.enter().await?;
        let selection = guarded(|| self.select(request.get_ref(), is_raw))?;
        let counted = Counted { selection, inner: self.clone(), _place: place };
        let stream = grpc::made(counted, self.limits.timeout, self.clock.clone());
        Ok(respond(stream, is_raw))
    }
}

impl Make for Counted {
    type Message = SeriesResponse;

    fn next(&mut self) -> Result<Option<Vec<SeriesResponse>>, Status> {
        let Some(frame) = self.selection.next_frame()? else { return Ok(None) };
        self.inner.series_sent.add(frame.n_series as f64);
        self.inner.chunk_bytes_sent.add(frame.chunk_bytes as f64);
        Ok(Some(frame.messages))
    }
}
