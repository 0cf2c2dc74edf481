//! `label_replace` and `label_join`.

use model::{LabelsBuilder, METRIC_NAME};
use re2::Regex;

use crate::{
    Error, Result,
    column::Track,
    eval::{Evaluator, Scope, Sink},
    merge::Merge,
    plan::{Call, Node, Op},
};

/// Longer ones do not fit into a set of labels.
const LABEL_BYTES_MAX: usize = (16 << 20) - 1;

pub(super) fn replace(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let [vector, target, replacement, source, pattern] = &*call.args else {
        return Err(Error::execution("label_replace expects five arguments"));
    };
    let (target, replacement) = (text(target)?, text(replacement)?);
    let (source, pattern) = (text(source)?, text(pattern)?);
    let regex = Regex::anchored(pattern).map_err(|_| {
        Error::execution(format!("invalid regular expression in label_replace(): {pattern}"))
    })?;
    check_name(target, "destination", "label_replace")?;
    let n_references = replacement.bytes().filter(|byte| *byte == b'$').count();
    let mut value = String::new();
    relabeled(evaluator, vector, scope, sink, &mut |track| {
        value.clear();
        let source = track.labels.value(source);
        // Looked at before anything is written: labels that are made of labels may explode.
        let at_most = n_references.saturating_mul(source.len()).saturating_add(replacement.len());
        if at_most > 2 * LABEL_BYTES_MAX {
            return Err(too_long("label_replace"));
        }
        if regex.expand(source, replacement, &mut value) {
            set_label(track, target, &value, "label_replace")?;
        }
        Ok(())
    })
}

pub(super) fn join(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let [vector, target, separator, sources @ ..] = &*call.args else {
        return Err(Error::execution("label_join expects three arguments or more"));
    };
    let (target, separator) = (text(target)?, text(separator)?);
    let sources: Vec<&str> = sources.iter().map(text).collect::<Result<_>>()?;
    for source in &sources {
        check_name(source, "source", "label_join")?;
    }
    check_name(target, "destination", "label_join")?;
    let mut value = String::new();
    relabeled(evaluator, vector, scope, sink, &mut |track| {
        value.clear();
        for (idx, source) in sources.iter().enumerate() {
            if idx > 0 {
                value.push_str(separator);
            }
            value.push_str(track.labels.value(source));
            if value.len() > LABEL_BYTES_MAX {
                return Err(too_long("label_join"));
            }
        }
        set_label(track, target, &value, "label_join")
    })
}

fn text(node: &Node) -> Result<&str> {
    match &node.op {
        Op::Text(text) => Ok(text),
        _ => Err(Error::execution("string expected")),
    }
}

fn check_name(name: &str, what: &str, function: &str) -> Result<()> {
    if name.is_empty() || name.contains('\u{fffd}') {
        let text = format!("invalid {what} label name in {function}(): {name}");
        return Err(Error::execution(text));
    }
    Ok(())
}

fn too_long(function: &str) -> Error {
    Error::execution(format!("{function}() would make a label of more than 16 MiB"))
}

fn set_label(track: &mut Track, name: &str, value: &str, function: &str) -> Result<()> {
    if value.len() > LABEL_BYTES_MAX {
        return Err(too_long(function));
    }
    let mut builder = LabelsBuilder::new(&track.labels);
    builder.set(name, value);
    track.labels = builder.build();
    if name == METRIC_NAME {
        // A name that is set on purpose stays.
        track.drop_name = false;
    }
    Ok(())
}

fn relabeled(
    evaluator: &Evaluator<'_>,
    vector: &Node,
    scope: &Scope,
    sink: Sink<'_>,
    change: &mut dyn FnMut(&mut Track) -> Result<()>,
) -> Result<()> {
    let mut merge = Merge::new(&evaluator.shared.memory);
    evaluator.stream(vector, scope, &mut |mut track| {
        change(&mut track)?;
        merge.add(track)
    })?;
    merge.into_tracks().into_iter().try_for_each(sink)
}
