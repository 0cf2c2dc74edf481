use proto::nflog::{self as wire, MeshEntry, receiver_data_value::Value};

use super::{Datum, Entry, ReceiverKey};
use crate::{
    snapshot::{self, Error},
    time::Time,
};

/// Entries as snapshot files and peers read them.
pub fn encode<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<u8> {
    let mut buf = Vec::new();
    for entry in entries {
        snapshot::write_record(&to_proto(entry.clone()), &mut buf);
    }
    buf
}

pub fn decode(bytes: &[u8]) -> Result<Vec<Entry>, Error> {
    let messages: Vec<MeshEntry> = snapshot::read_records(bytes)?;
    messages.into_iter().map(from_proto).collect()
}

fn to_proto(entry: Entry) -> MeshEntry {
    let data = entry.receiver_data.into_iter().map(|(name, datum)| {
        let value = match datum {
            Datum::Text(text) => Value::StrVal(text),
            Datum::Int(number) => Value::IntVal(number),
            Datum::Float(number) => Value::DoubleVal(number),
        };
        (name, wire::ReceiverDataValue { value: Some(value) })
    });
    let ReceiverKey { group_name, integration, idx } = entry.receiver;
    let message = wire::Entry {
        group_key: entry.group_key,
        receiver: Some(wire::Receiver { group_name, integration, idx }),
        group_hash: entry.group_hash,
        resolved: entry.resolved,
        timestamp: entry.timestamp.map(Time::to_proto),
        firing_alerts: entry.firing_alerts,
        resolved_alerts: entry.resolved_alerts,
        receiver_data: data.collect(),
    };
    MeshEntry { entry: Some(message), expires_at: entry.expires_at.map(Time::to_proto) }
}

fn from_proto(message: MeshEntry) -> Result<Entry, Error> {
    let entry = message.entry.ok_or(Error::InvalidState)?;
    let receiver = entry.receiver.ok_or(Error::InvalidState)?;
    let data = entry.receiver_data.into_iter().filter_map(|(name, value)| {
        let datum = match value.value? {
            Value::StrVal(text) => Datum::Text(text),
            Value::IntVal(number) => Datum::Int(number),
            Value::DoubleVal(number) => Datum::Float(number),
        };
        Some((name, datum))
    });
    Ok(Entry {
        group_key: entry.group_key,
        receiver: ReceiverKey {
            group_name: receiver.group_name,
            integration: receiver.integration,
            idx: receiver.idx,
        },
        timestamp: entry.timestamp.and_then(Time::from_proto),
        firing_alerts: entry.firing_alerts,
        resolved_alerts: entry.resolved_alerts,
        receiver_data: data.collect(),
        group_hash: entry.group_hash,
        resolved: entry.resolved,
        expires_at: message.expires_at.and_then(Time::from_proto),
    })
}
