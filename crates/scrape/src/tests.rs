mod cache;
mod failures;
mod labels;
mod schedule;
mod scrapes;
mod tables;
mod targets;
mod world;
