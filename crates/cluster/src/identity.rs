//! A member's name, which stays the same as long as its data does.

use std::{io, path::Path};

use runtime::Runtime;

use crate::MemberId;

/// In the data directory.
const FILE: &str = "cluster_member";

/// The identity that the data directory holds; a new one if it holds none.
pub fn load(runtime: &Runtime, directory: &Path) -> io::Result<MemberId> {
    let path = directory.join(FILE);
    match runtime.disk.read_to_string(&path) {
        Ok(text) => text.trim().parse().map_err(|error| {
            let reason = format!("{} holds no member's identity: {error}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, reason)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The storage, which makes its directory, opens later.
            runtime.disk.create_directories(directory)?;
            let id = MemberId::new(runtime.clock.now(), &*runtime.random);
            let temporary = directory.join(format!("{FILE}.tmp"));
            let mut file = runtime.disk.create(&temporary)?;
            file.write_all(format!("{id}\n").as_bytes())?;
            file.sync()?;
            drop(file);
            runtime.disk.rename(&temporary, &path)?;
            runtime.disk.sync_directory(directory)?;
            Ok(id)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_stays_who_it_is() {
        let runtime = Runtime::simulated(1);
        let directory = Path::new("/data");
        runtime.disk.create_directories(directory).expect("a new disk");
        let first = load(&runtime, directory).expect("it is made");
        assert_eq!(load(&runtime, directory).expect("it is there"), first);
        let mut file = runtime.disk.create(&directory.join(FILE)).expect("it can be replaced");
        file.write_all(b"nonsense").expect("there is room");
        drop(file);
        let error = load(&runtime, directory).expect_err("it is nonsense").to_string();
        assert!(error.starts_with("/data/cluster_member holds no member's identity"), "{error}");
    }
}
