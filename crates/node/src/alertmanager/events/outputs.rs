//! Where lines go.

mod webhook;

use std::{io, path::PathBuf};

use config::alertmanager::EventRecorder;
use runtime::{Disk, Runtime, disk::File};

use self::webhook::Webhook;
use super::Taken;

pub(super) enum Output {
    File(LineFile),
    Webhook(Webhook),
}

/// All outputs of a configuration, or none.
pub(super) fn open(config: &EventRecorder, runtime: &Runtime) -> Result<Vec<Output>, String> {
    let mut outputs = Vec::new();
    for file in config.file_outputs.iter() {
        let opened = LineFile::open(PathBuf::from(&file.path.0), &*runtime.disk);
        let opened = opened.map_err(|error| format!("open {}: {error}", file.path.0))?;
        outputs.push(Output::File(opened));
    }
    for webhook in config.webhook_outputs.iter() {
        outputs.push(Output::Webhook(Webhook::start(webhook, runtime)?));
    }
    Ok(outputs)
}

impl Output {
    pub(super) fn name(&self) -> &str {
        match self {
            Output::File(file) => &file.name,
            Output::Webhook(webhook) => webhook.name(),
        }
    }

    pub(super) fn take(&mut self, line: &str, runtime: &Runtime) -> Taken {
        match self {
            Output::File(file) => {
                match runtime::blocking(|| file.write(line.as_bytes(), &*runtime.disk)) {
                    Ok(()) => Taken::Yes,
                    Err(error) => Taken::Failed(error),
                }
            }
            Output::Webhook(webhook) => webhook.take(line),
        }
    }

    /// Waits until all that was taken is out.
    pub(super) async fn close(self) {
        if let Output::Webhook(webhook) = self {
            webhook.close().await;
        }
    }
}

/// A file of lines, which somebody may rename: then it begins anew.
pub(super) struct LineFile {
    name: String,
    path: PathBuf,
    file: Box<dyn File>,
}

impl LineFile {
    fn open(path: PathBuf, disk: &dyn Disk) -> io::Result<LineFile> {
        let file = disk.append(&path)?;
        Ok(LineFile { name: format!("file:{}", path.display()), path, file })
    }

    fn write(&mut self, line: &[u8], disk: &dyn Disk) -> io::Result<()> {
        // Another file, or none, is there once it has been rotated.
        let len_here = disk.metadata(&self.path).map(|metadata| metadata.len);
        if len_here.ok() != Some(self.file.len()?) {
            self.file = disk.append(&self.path)?;
        }
        self.file.write_all(line)
    }
}
