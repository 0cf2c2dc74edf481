mod append;
mod crash;
mod upstream;
mod world;
