mod peers;
mod queue;
mod tables;
mod world;
