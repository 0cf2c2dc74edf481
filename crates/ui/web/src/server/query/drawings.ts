//! All that needs the library of graphs, to be loaded at once.

export { Graph } from "./Graph.js";
export { Heatmap } from "./Heatmap.js";
