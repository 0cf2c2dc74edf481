//! Files by pattern: `rules/*.yml`.

use std::{io, path::Path};

use runtime::Disk;

/// The paths that match `pattern`, sorted. A directory that is not there matches nothing.
pub fn glob(disk: &dyn Disk, pattern: &str) -> io::Result<Vec<String>> {
    if !has_wildcards(pattern) {
        let exists = disk.exists(Path::new(pattern));
        return Ok(exists.then(|| pattern.to_owned()).into_iter().collect());
    }
    let (prefix, last) = match pattern.rsplit_once('/') {
        Some((directory, last)) => (Some(directory), last),
        None => (None, pattern),
    };
    let directories = match prefix {
        Some(directory) if has_wildcards(directory) => glob(disk, directory)?,
        Some(directory) => vec![directory.to_owned()],
        None => vec![".".to_owned()],
    };
    let mut paths = Vec::new();
    for directory in directories {
        let path = if directory.is_empty() { "/" } else { &directory };
        let entries = match disk.list(Path::new(path)) {
            Ok(entries) => entries,
            Err(error) if is_no_directory(&error) => continue,
            Err(error) => return Err(error),
        };
        let names = entries.into_iter().map(|entry| entry.name).filter(|name| matches(last, name));
        paths.extend(names.map(|name| match prefix {
            Some(_) => format!("{directory}/{name}"),
            None => name,
        }));
    }
    paths.sort();
    Ok(paths)
}

fn has_wildcards(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '\\'])
}

fn is_no_directory(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Go's `filepath.Match` without slashes: `*`, `?`, `[a-z]`, `[^a]` and `\` before a character.
fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = pattern.get(first.len_utf8()..).unwrap_or_default();
    if first == '*' {
        let ends = name.char_indices().map(|(idx, _)| idx).chain([name.len()]);
        return ends.into_iter().any(|end| matches(rest, name.get(end..).unwrap_or_default()));
    }
    let Some(next) = name.chars().next() else { return false };
    let name = name.get(next.len_utf8()..).unwrap_or_default();
    match first {
        '?' => matches(rest, name),
        '[' => class(rest, next).is_some_and(|rest| matches(rest, name)),
        '\\' => {
            let escaped = rest.chars().next();
            escaped == Some(next) && matches(rest.get(next.len_utf8()..).unwrap_or_default(), name)
        }
        literal => literal == next && matches(rest, name),
    }
}

/// What follows the class at the start of `pattern`, if `c` is in it.
fn class(pattern: &str, c: char) -> Option<&str> {
    let (inside, rest) = pattern.split_once(']')?;
    let (inside, negated) = match inside.strip_prefix('^') {
        Some(inside) => (inside, true),
        None => (inside, false),
    };
    let members: Vec<char> = inside.chars().collect();
    let mut found = false;
    let mut left = members.as_slice();
    while let Some((first, after)) = left.split_first() {
        left = match after {
            ['-', last, after @ ..] => {
                found |= (*first..=*last).contains(&c);
                after
            }
            _ => {
                found |= *first == c;
                after
            }
        };
    }
    (found != negated).then_some(rest)
}

#[cfg(test)]
mod tests;
