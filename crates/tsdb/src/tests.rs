mod append;
mod blocks;
mod crash;
mod upstream;
mod world;
