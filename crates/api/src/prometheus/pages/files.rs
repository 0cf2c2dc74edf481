//! Files that operators serve below `/user`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    extract::{self, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::{page::plain, prometheus::Api};

pub(super) async fn user_asset(
    State(api): State<Arc<Api>>,
    extract::Path(asked): extract::Path<String>,
) -> Response {
    let found = api.pages.user_assets.as_deref().and_then(|folder| below(folder, &asked));
    let reading = found.map(|path| {
        tokio::task::spawn_blocking(move || {
            let disk = &*api.runtime.disk;
            let index = path.join("index.html");
            // Of a folder only its index is shown, if it has one.
            let read = |path: &Path| disk.read(path).ok().map(|bytes| (content_type(path), bytes));
            read(&path).or_else(|| read(&index))
        })
    });
    let read = match reading {
        Some(reading) => reading.await.unwrap_or_default(),
        None => None,
    };
    match read {
        Some((kind, bytes)) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        None => plain(StatusCode::NOT_FOUND, "404 page not found\n"),
    }
}

/// The path of a file that was asked for, if it is below `folder`.
pub(super) fn below(folder: &Path, asked: &str) -> Option<PathBuf> {
    let mut path = folder.to_owned();
    for segment in asked.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
        let is_odd = segment == ".." || segment.contains(['\\', '\0']);
        if is_odd {
            return None;
        }
        path.push(segment);
    }
    Some(path)
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "xml" => "text/xml; charset=utf-8",
        "json" => "application/json",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "ico" => "image/vnd.microsoft.icon",
        _ => "application/octet-stream",
    }
}
