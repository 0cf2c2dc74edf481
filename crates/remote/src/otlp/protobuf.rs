//! `ExportMetricsServiceRequest` in protobuf, read in place.
//!
//! Fields of a message may come in any order, so what its points need is read first and the points
//! in a second pass over the same bytes.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    any::{Any, DEPTH_MAX},
    point::{
        Attributes, BUCKETS_MAX, Buckets, Data, Exemplar, Explicit, Exponential, ITEMS_MAX, Kind,
        Metric, Point, Scope, Temporality, Text,
    },
    translate::Translator,
};
use crate::wire::{Field, Fields, Malformed, Result};

/// Tells all that `request` says.
pub(super) fn walk(request: &[u8], translator: &mut Translator<'_>) -> Result<()> {
    each(request, 1, |resource_metrics| {
        let mut attributes = Vec::new();
        each(resource_metrics, 1, |resource| read_attributes(resource, 1, &mut attributes))?;
        translator.begin_resource(attributes);
        each(resource_metrics, 2, |scope_metrics| walk_scope(scope_metrics, translator))?;
        translator.end_resource();
        Ok(())
    })
}

fn walk_scope(scope_metrics: &[u8], translator: &mut Translator<'_>) -> Result<()> {
    let mut scope = Scope::default();
    let mut fields = Fields::new(scope_metrics);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => read_scope(field.bytes()?, &mut scope)?,
            3 => scope.schema_url = text(&field)?,
            _ => {}
        }
    }
    translator.begin_scope(&scope);
    each(scope_metrics, 2, |metric| walk_metric(metric, translator))
}

fn read_scope<'a>(bytes: &'a [u8], scope: &mut Scope<'a>) -> Result<()> {
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => scope.name = text(&field)?,
            2 => scope.version = text(&field)?,
            3 => push_attribute(&field, &mut scope.attributes)?,
            _ => {}
        }
    }
    Ok(())
}

fn walk_metric(bytes: &[u8], translator: &mut Translator<'_>) -> Result<()> {
    let mut metric = Metric::default();
    let mut data: &[u8] = &[];
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        let kind = match field.number {
            1 => {
                metric.name = text(&field)?;
                continue;
            }
            2 => {
                metric.description = text(&field)?;
                continue;
            }
            3 => {
                metric.unit = text(&field)?;
                continue;
            }
            5 => Kind::Gauge,
            7 => Kind::Sum,
            9 => Kind::Histogram,
            10 => Kind::Exponential,
            11 => Kind::Summary,
            _ => continue,
        };
        (metric.kind, data) = (kind, field.bytes()?);
    }
    let mut fields = Fields::new(data);
    while let Some(field) = fields.next()? {
        match field.number {
            2 if metric.kind.has_temporality() => {
                metric.temporality = Temporality::of_number(field.number()?);
            }
            3 if metric.kind == Kind::Sum => metric.is_monotonic = field.number()? != 0,
            _ => {}
        }
    }
    let kind = metric.kind;
    translator.begin_metric(&metric);
    each(data, 1, |point| {
        translator.point(read_point(kind, point)?);
        Ok(())
    })?;
    translator.end_metric();
    Ok(())
}

fn read_point(kind: Kind, bytes: &[u8]) -> Result<Point<'_>> {
    match kind {
        Kind::Histogram => read_explicit(bytes),
        Kind::Exponential => read_exponential(bytes),
        Kind::Summary => read_summary(bytes),
        Kind::Gauge | Kind::Sum | Kind::Empty => read_number(bytes),
    }
}

fn read_number(bytes: &[u8]) -> Result<Point<'_>> {
    let mut point = Point::default();
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            2 => point.start = field.fixed64()?,
            3 => point.time = field.fixed64()?,
            4 => point.data = Data::Number(field.double()?),
            5 => push_exemplar(&field, &mut point)?,
            6 => point.data = Data::Number(field.fixed64()? as i64 as f64),
            7 => push_attribute(&field, &mut point.attributes)?,
            8 => point.has_no_value = has_no_value(&field)?,
            _ => {}
        }
    }
    Ok(point)
}

fn read_explicit(bytes: &[u8]) -> Result<Point<'_>> {
    let (mut point, mut data) = (Point::default(), Explicit::default());
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            2 => point.start = field.fixed64()?,
            3 => point.time = field.fixed64()?,
            4 => data.count = field.fixed64()?,
            5 => data.sum = Some(field.double()?),
            6 => field.fixed64s(|count| push_bounded(count, &mut data.counts))?,
            7 => field.doubles(|bound| push_bounded(bound, &mut data.bounds))?,
            8 => push_exemplar(&field, &mut point)?,
            9 => push_attribute(&field, &mut point.attributes)?,
            10 => point.has_no_value = has_no_value(&field)?,
            _ => {}
        }
    }
    check_bounded(&data.counts)?;
    check_bounded(&data.bounds)?;
    point.data = Data::Histogram(data);
    Ok(point)
}

fn read_exponential(bytes: &[u8]) -> Result<Point<'_>> {
    let (mut point, mut data) = (Point::default(), Exponential::default());
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => push_attribute(&field, &mut point.attributes)?,
            2 => point.start = field.fixed64()?,
            3 => point.time = field.fixed64()?,
            4 => data.count = field.fixed64()?,
            5 => data.sum = Some(field.double()?),
            6 => data.scale = field.zigzag()? as i32,
            7 => data.zero_count = field.fixed64()?,
            8 => read_buckets(field.bytes()?, &mut data.positive)?,
            9 => read_buckets(field.bytes()?, &mut data.negative)?,
            10 => point.has_no_value = has_no_value(&field)?,
            11 => push_exemplar(&field, &mut point)?,
            _ => {}
        }
    }
    point.data = Data::Exponential(data);
    Ok(point)
}

fn read_buckets(bytes: &[u8], buckets: &mut Buckets) -> Result<()> {
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => buckets.offset = field.zigzag()? as i32,
            2 => field.numbers(|count| push_bounded(count, &mut buckets.counts))?,
            _ => {}
        }
    }
    check_bounded(&buckets.counts)
}

fn read_summary(bytes: &[u8]) -> Result<Point<'_>> {
    let mut point = Point::default();
    let (mut count, mut sum, mut quantiles) = (0, 0.0, Vec::new());
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            2 => point.start = field.fixed64()?,
            3 => point.time = field.fixed64()?,
            4 => count = field.fixed64()?,
            5 => sum = field.double()?,
            6 if quantiles.len() >= ITEMS_MAX => return Err(Malformed::TooMany("quantiles")),
            6 => quantiles.push(read_quantile(field.bytes()?)?),
            7 => push_attribute(&field, &mut point.attributes)?,
            8 => point.has_no_value = has_no_value(&field)?,
            _ => {}
        }
    }
    point.data = Data::Summary { count, sum, quantiles };
    Ok(point)
}

fn read_quantile(bytes: &[u8]) -> Result<(f64, f64)> {
    let (mut quantile, mut value) = (0.0, 0.0);
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => quantile = field.double()?,
            2 => value = field.double()?,
            _ => {}
        }
    }
    Ok((quantile, value))
}

fn push_exemplar<'a>(field: &Field<'a>, point: &mut Point<'a>) -> Result<()> {
    if point.exemplars.len() >= ITEMS_MAX {
        return Err(Malformed::TooMany("exemplars"));
    }
    let mut exemplar = Exemplar::default();
    let mut fields = Fields::new(field.bytes()?);
    while let Some(field) = fields.next()? {
        match field.number {
            2 => exemplar.time = field.fixed64()?,
            3 => exemplar.value = Some(field.double()?),
            4 => exemplar.span_id = Cow::Borrowed(field.bytes()?),
            5 => exemplar.trace_id = Cow::Borrowed(field.bytes()?),
            6 => exemplar.value = Some(field.fixed64()? as i64 as f64),
            7 => push_attribute(&field, &mut exemplar.attributes)?,
            _ => {}
        }
    }
    point.exemplars.push(exemplar);
    Ok(())
}

fn read_attributes<'a>(
    bytes: &'a [u8],
    number: u32,
    attributes: &mut Attributes<'a>,
) -> Result<()> {
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        if field.number == number {
            push_attribute(&field, attributes)?;
        }
    }
    Ok(())
}

fn push_attribute<'a>(field: &Field<'a>, attributes: &mut Attributes<'a>) -> Result<()> {
    if attributes.len() >= ITEMS_MAX {
        return Err(Malformed::TooMany("attributes"));
    }
    let (key, value) = read_pair(field.bytes()?, DEPTH_MAX)?;
    attributes.push((key, value.into_text()));
    Ok(())
}

fn read_pair(bytes: &[u8], depth: usize) -> Result<(Text<'_>, Any<'_>)> {
    let (mut key, mut value) = (Text::default(), Any::Empty);
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => key = text(&field)?,
            2 => value = read_any(field.bytes()?, depth)?,
            _ => {}
        }
    }
    Ok((key, value))
}

fn read_any(bytes: &[u8], depth: usize) -> Result<Any<'_>> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Malformed::TooMany("values within values"));
    };
    let mut any = Any::Empty;
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        any = match field.number {
            1 => Any::Text(text(&field)?),
            2 => Any::Bool(field.number()? != 0),
            3 => Any::Int(field.number()? as i64),
            4 => Any::Double(field.double()?),
            5 => read_list(field.bytes()?, depth)?,
            6 => read_map(field.bytes()?, depth)?,
            7 => Any::Bytes(Cow::Borrowed(field.bytes()?)),
            _ => any,
        };
    }
    Ok(any)
}

fn read_list(bytes: &[u8], depth: usize) -> Result<Any<'_>> {
    let mut items = Vec::new();
    each(bytes, 1, |item| {
        if items.len() >= ITEMS_MAX {
            return Err(Malformed::TooMany("values in a list"));
        }
        items.push(read_any(item, depth)?);
        Ok(())
    })?;
    Ok(Any::list(&items))
}

fn read_map(bytes: &[u8], depth: usize) -> Result<Any<'_>> {
    let mut pairs = BTreeMap::new();
    each(bytes, 1, |pair| {
        let (key, value) = read_pair(pair, depth)?;
        pairs.insert(key, value);
        Ok(())
    })?;
    Ok(Any::map(&pairs))
}

/// Hands each message in field `number` to `read`.
fn each<'a>(
    bytes: &'a [u8],
    number: u32,
    mut read: impl FnMut(&'a [u8]) -> Result<()>,
) -> Result<()> {
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        if field.number == number {
            read(field.bytes()?)?;
        }
    }
    Ok(())
}

/// What is no text is made one.
fn text<'a>(field: &Field<'a>) -> Result<Text<'a>> {
    Ok(String::from_utf8_lossy(field.bytes()?))
}

/// The first bit says that there is no value.
fn has_no_value(field: &Field<'_>) -> Result<bool> {
    Ok(field.number()? & 1 == 1)
}

/// One more than is allowed is kept: [`check_bounded`] then knows.
fn push_bounded<T>(item: T, items: &mut Vec<T>) {
    if items.len() <= BUCKETS_MAX {
        items.push(item);
    }
}

fn check_bounded<T>(items: &[T]) -> Result<()> {
    if items.len() > BUCKETS_MAX { Err(Malformed::TooMany("buckets")) } else { Ok(()) }
}
