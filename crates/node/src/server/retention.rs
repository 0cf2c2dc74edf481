use std::time::Duration;

use config::{prometheus::File, values::Bytes};

use super::options::Retention;

/// Kept unless the flags or the file say otherwise.
const DEFAULT: Duration = Duration::from_secs(15 * 24 * 3600);

impl Retention {
    /// What `file` says, else what the flags say (`self`), else upstream's default.
    pub(super) fn or_by(self, file: &File) -> Retention {
        let section = file.storage.tsdb.as_ref().and_then(|tsdb| tsdb.retention.clone());
        let section = section.unwrap_or_default();
        let time = match section.time.0 {
            Duration::ZERO => self.time,
            time => time,
        };
        let bytes = u64::try_from(section.size.0).ok().filter(|bytes| *bytes > 0);
        match (time, bytes.unwrap_or(self.bytes)) {
            (Duration::ZERO, 0) => Retention { time: DEFAULT, bytes: 0 },
            (time, bytes) => Retention { time, bytes },
        }
    }

    /// The same with what only the file can say: a share of the disk, and classes.
    pub(super) fn with_classes(self, file: &File) -> tsdb::Retention {
        let Retention { time, bytes } = self.or_by(file);
        let section = file.storage.tsdb.as_ref().and_then(|tsdb| tsdb.retention.as_ref());
        let classes = section.into_iter().flat_map(|section| &section.classes);
        let classes = classes.map(|class| tsdb::RetentionClass {
            name: class.name.clone(),
            // They were checked when the file was read.
            selectors: class.matchers().unwrap_or_default(),
            time: class.time.0,
        });
        let percentage = section.map_or(0.0, |section| section.percentage);
        tsdb::Retention { time, bytes, percentage, classes: classes.collect() }
    }
}

/// `15d or 10GiB`
impl std::fmt::Display for Retention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = (!self.time.is_zero()).then(|| model::duration::format(self.time));
        let bytes = i64::try_from(self.bytes).unwrap_or(i64::MAX);
        let size = (bytes > 0).then(|| Bytes(bytes).to_string());
        let parts: Vec<String> = time.into_iter().chain(size).collect();
        f.write_str(&parts.join(" or "))
    }
}
