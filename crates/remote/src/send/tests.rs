mod queue;
mod tables;
mod world;
