//! What an administrator deletes on one member, all others delete, too. Otherwise it would come back
//! from them: by a merged read, or by repair.

use grpc::{Request, Status};
use model::{Matcher, TimeRange};
use proto::vesta::repair::v1::{DeleteRequest, DeleteResponse};
use storeapi::matchers;
use tokio_util::sync::CancellationToken;

use crate::{
    Member, Repair,
    repair::Inner,
    server::{DELETE, Server, read_window, write_window},
};

impl Repair {
    /// Has all other members delete what matches all of `matchers`; for each that does not, a text
    /// for the user.
    pub async fn delete_elsewhere(&self, range: TimeRange, matchers: &[Matcher]) -> Vec<String> {
        let mut complaints = Vec::new();
        for member in (self.0.sources.members)() {
            if let Err(reason) = self.0.delete_at(&member, range, matchers).await {
                complaints.push(format!("member {}: {reason}", member.name));
            }
        }
        complaints
    }
}

impl Inner {
    async fn delete_at(
        &self,
        member: &Member,
        range: TimeRange,
        matchers: &[Matcher],
    ) -> Result<(), String> {
        if !member.is_live {
            return Err("it is away".to_owned());
        }
        let channel = self.channel(member)?;
        let request =
            DeleteRequest { range: Some(write_window(range)), matchers: matchers::write(matchers) };
        let call = channel.unary::<_, DeleteResponse>(DELETE, Request::new(request));
        self.wait(&channel, &CancellationToken::new(), call).await.map(drop)
    }
}

impl Server {
    pub(crate) fn delete(&self, request: &DeleteRequest) -> Result<DeleteResponse, Status> {
        let range = request.range.as_ref().map(read_window);
        let range = range.filter(|range| range.start <= range.end);
        let range = range.ok_or_else(|| Status::invalid_argument("there is no range of time"))?;
        let matchers = matchers::read(&request.matchers).map_err(Status::invalid_argument)?;
        // Nobody means all there is.
        if matchers.is_empty() {
            return Err(Status::invalid_argument("there are no matchers"));
        }
        (self.sources.delete)(range, &matchers).map_err(Status::failed_precondition)?;
        Ok(DeleteResponse {})
    }
}
