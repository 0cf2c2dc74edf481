mod append;
mod blocks;
mod crash;
mod exemplars;
mod histograms;
mod upstream;
mod world;
