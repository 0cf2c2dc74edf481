mod commands;
mod tables;
