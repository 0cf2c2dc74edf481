mod failures;
mod labels;
mod scrapes;
mod tables;
mod targets;
mod world;
