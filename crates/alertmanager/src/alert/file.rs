//! Alerts on the disk, so that a restart forgets none. The file is ours: upstream's program leaves
//! it alone.

use std::sync::Arc;

use super::Alert;
use crate::{
    snapshot::{self, Error, read_records, write_record},
    time::Time,
};

const MAGIC: &str = "vesta alerts";
const VERSION: u32 = 1;
/// Neither is more written, nor is a larger file read.
pub(crate) const FILE_BYTES_MAX: usize = 256 << 20;

#[derive(Clone, PartialEq, prost::Message)]
struct Header {
    #[prost(string, tag = "1")]
    magic: String,
    #[prost(uint32, tag = "2")]
    version: u32,
    #[prost(message, optional, tag = "3")]
    written_at: Option<Moment>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Record {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Pair>,
    #[prost(message, repeated, tag = "2")]
    annotations: Vec<Pair>,
    #[prost(message, optional, tag = "3")]
    starts_at: Option<Moment>,
    #[prost(message, optional, tag = "4")]
    ends_at: Option<Moment>,
    #[prost(string, tag = "5")]
    generator_url: String,
    #[prost(message, optional, tag = "6")]
    updated_at: Option<Moment>,
    #[prost(bool, tag = "7")]
    is_timeout: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Pair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// With the offset of its sender, which receivers are told.
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Moment {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
    #[prost(sint32, tag = "3")]
    offset_seconds: i32,
}

/// All alerts that there is room for, and how many there are not.
pub(crate) fn encode(alerts: &[Arc<Alert>], now: Time) -> (Vec<u8>, usize) {
    let mut bytes = Vec::new();
    let header = Header { magic: MAGIC.to_owned(), version: VERSION, written_at: Some(now.into()) };
    write_record(&header, &mut bytes);
    for (idx, alert) in alerts.iter().enumerate() {
        let len = bytes.len();
        write_record(&Record::from(&**alert), &mut bytes);
        if bytes.len() > FILE_BYTES_MAX {
            bytes.truncate(len);
            return (bytes, alerts.len() - idx);
        }
    }
    (bytes, 0)
}

/// When the file was written, and the alerts in it.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Time, Vec<Alert>), Error> {
    let mut rest = bytes;
    let header: Header = snapshot::read_record(&mut rest)?;
    let written_at = header.written_at.and_then(Moment::to_time);
    let (MAGIC, VERSION, Some(written_at)) = (&*header.magic, header.version, written_at) else {
        return Err(Error::InvalidState);
    };
    let records: Vec<Record> = read_records(rest)?;
    let alerts = records.into_iter().map(|record| record.to_alert().ok_or(Error::InvalidState));
    Ok((written_at, alerts.collect::<Result<_, _>>()?))
}

impl From<&Alert> for Record {
    fn from(alert: &Alert) -> Record {
        let pair = |(name, value): (&str, &str)| Pair { name: name.into(), value: value.into() };
        let annotations = alert.annotations.iter().map(|(name, value)| (&**name, &**value));
        Record {
            labels: alert.labels.iter().map(pair).collect(),
            annotations: annotations.map(pair).collect(),
            starts_at: Some(alert.starts_at.into()),
            ends_at: alert.ends_at.map(Moment::from),
            generator_url: alert.generator_url.clone(),
            updated_at: Some(alert.updated_at.into()),
            is_timeout: alert.is_timeout,
        }
    }
}

impl Record {
    fn to_alert(&self) -> Option<Alert> {
        let annotations = self.annotations.iter();
        let alert = Alert {
            labels: model::Labels::from_pairs(self.labels.iter().map(|it| (&it.name, &it.value))),
            annotations: Arc::new(
                annotations.map(|it| (it.name.clone(), it.value.clone())).collect(),
            ),
            starts_at: self.starts_at?.to_time()?,
            ends_at: match self.ends_at {
                Some(end) => Some(end.to_time()?),
                None => None,
            },
            generator_url: self.generator_url.clone(),
            updated_at: self.updated_at?.to_time()?,
            is_timeout: self.is_timeout,
        };
        (!alert.labels.is_empty()).then_some(alert)
    }
}

impl From<Time> for Moment {
    fn from(time: Time) -> Moment {
        let proto::Timestamp { seconds, nanos } = time.to_proto();
        Moment { seconds, nanos, offset_seconds: time.offset_seconds() }
    }
}

impl Moment {
    fn to_time(self) -> Option<Time> {
        let time = Time::from_proto(proto::Timestamp { seconds: self.seconds, nanos: self.nanos })?;
        time.with_offset_seconds(self.offset_seconds)
    }
}
