//! What members tell of themselves, to whoever hears their gossip.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use prost::Message as _;
use proto::vesta::cluster::v1;

use crate::MemberId;

/// Under which key it is gossiped.
pub(crate) const KEY: &str = "vesta";
/// More members than anybody has.
const MEMBERS_MAX: usize = 1000;
const TEXT_BYTES_MAX: usize = 1024;

/// One member, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Info {
    /// Of two the higher one counts.
    pub(crate) sequence: u64,
    /// What people are shown.
    pub(crate) name: String,
    /// `host:port`, for links and the StoreAPI.
    pub(crate) store_address: String,
    pub(crate) web_url: String,
    pub(crate) version: String,
}

/// All members that were ever heard of.
pub(crate) struct Infos {
    own: MemberId,
    /// Nothing else is locked while this is held.
    known: Mutex<BTreeMap<MemberId, Info>>,
}

impl Infos {
    pub(crate) fn new(own: MemberId, info: Info) -> Arc<Infos> {
        Arc::new(Infos { own, known: Mutex::new(BTreeMap::from([(own, info)])) })
    }

    pub(crate) fn get(&self, member: MemberId) -> Option<Info> {
        self.known.lock().get(&member).cloned()
    }

    pub(crate) fn all(&self) -> BTreeMap<MemberId, Info> {
        self.known.lock().clone()
    }

    pub(crate) fn name(&self, member: MemberId) -> String {
        let known = self.known.lock();
        known.get(&member).map_or_else(|| member.to_string(), |info| info.name.clone())
    }

    fn merge_one(
        &self,
        known: &mut BTreeMap<MemberId, Info>,
        member: MemberId,
        info: Info,
    ) -> bool {
        if member == self.own {
            // Our former self, or a clock that was set back: we know better.
            let own = known.get_mut(&member).filter(|own| info > **own);
            return own.map(|own| own.sequence = info.sequence.saturating_add(1)).is_some();
        }
        let is_full = known.len() >= MEMBERS_MAX;
        match known.get_mut(&member) {
            Some(old) if *old >= info => false,
            Some(old) => {
                *old = info;
                true
            }
            None if is_full => false,
            None => known.insert(member, info).is_none(),
        }
    }
}

impl gossip::State for Infos {
    fn full(&self) -> Vec<u8> {
        let known = self.known.lock();
        let members = known.iter().map(|(member, info)| v1::Info {
            member: member.to_bytes(),
            sequence: info.sequence,
            name: info.name.clone(),
            store_address: info.store_address.clone(),
            web_url: info.web_url.clone(),
            version: info.version.clone(),
        });
        v1::Infos { members: members.collect() }.encode_to_vec()
    }

    fn merge(&self, bytes: &[u8]) -> Result<bool, String> {
        let infos = v1::Infos::decode(bytes).map_err(|error| error.to_string())?;
        let mut known = self.known.lock();
        let mut has_news = false;
        for info in infos.members {
            let id = MemberId::from_bytes(&info.member).ok_or("a member without a name")?;
            let texts = [&info.name, &info.store_address, &info.web_url, &info.version];
            if texts.iter().any(|text| text.len() > TEXT_BYTES_MAX) {
                return Err("a text that is too long".to_owned());
            }
            let v1::Info { sequence, name, store_address, web_url, version, .. } = info;
            let info = Info { sequence, name, store_address, web_url, version };
            has_news |= self.merge_one(&mut known, id, info);
        }
        Ok(has_news)
    }
}
