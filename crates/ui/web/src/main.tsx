import { render } from "preact";
import { followLinks } from "./base/route.js";
import { page } from "./page.js";
import { App as AlertmanagerApp } from "./alertmanager/App.js";
import { App as ServerApp } from "./server/App.js";
import "./style.css";

followLinks();
const app = document.getElementById("app")!;
render(page.role === "alertmanager" ? <AlertmanagerApp /> : <ServerApp />, app);
