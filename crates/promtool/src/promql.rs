//! `promql …`: queries printed prettily, and with other conditions.

use std::io::Write as _;

use model::Matcher;
use promql_syntax::{Expr, format_query};

use crate::{
    Exit, World,
    arguments::{DeleteMatchers, Format, Global, SetMatchers},
};

pub(crate) fn format(global: &Global, world: &mut World, format: &Format) -> anyhow::Result<Exit> {
    if !is_allowed(global, world)? {
        return Ok(Exit::Failure);
    }
    writeln!(world.stdout, "{}", format_query(&parse(global, &format.query)?))?;
    Ok(Exit::Success)
}

/// Conditions on the label get the value, or become a new one where there is none.
pub(crate) fn set_matchers(
    global: &Global,
    world: &mut World,
    set: &SetMatchers,
) -> anyhow::Result<Exit> {
    if !is_allowed(global, world)? {
        return Ok(Exit::Failure);
    }
    let mut expr = parse(global, &set.query)?;
    let matcher = Matcher::new(set.kind, set.name.clone(), set.value.clone())?;
    expr.change_selectors(&mut |selector| {
        let mut found = false;
        for own in selector.matchers.iter_mut().filter(|own| own.name == set.name) {
            *own = matcher.clone();
            found = true;
        }
        if !found {
            selector.matchers.push(matcher.clone());
        }
    });
    writeln!(world.stdout, "{expr}")?;
    Ok(Exit::Success)
}

pub(crate) fn delete_matchers(
    global: &Global,
    world: &mut World,
    delete: &DeleteMatchers,
) -> anyhow::Result<Exit> {
    if !is_allowed(global, world)? {
        return Ok(Exit::Failure);
    }
    let mut expr = parse(global, &delete.query)?;
    expr.change_selectors(&mut |selector| selector.matchers.retain(|own| own.name != delete.name));
    writeln!(world.stdout, "{expr}")?;
    Ok(Exit::Success)
}

fn parse(global: &Global, query: &str) -> anyhow::Result<Expr> {
    Ok(promql_syntax::parse(query, &global.syntax)?)
}

fn is_allowed(global: &Global, world: &mut World) -> anyhow::Result<bool> {
    if !global.experimental {
        writeln!(
            world.stderr,
            "This command is experimental and requires the --experimental flag to be set."
        )?;
    }
    Ok(global.experimental)
}
