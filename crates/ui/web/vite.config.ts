import { defineConfig, type Plugin } from "vite";

/** What `vesta server` or `vesta alertmanager` fills in; for `npm run dev` it is done here. */
function filledIn(role: string): Plugin {
  const settings = JSON.stringify({ role, title: "Vesta", version: "dev" }).replaceAll('"', "&quot;");
  return {
    name: "filled-in",
    apply: "serve",
    transformIndexHtml: (html) => html.replace("SETTINGS_PLACEHOLDER", settings).replace("TITLE_PLACEHOLDER", "Vesta"),
  };
}

/** What pages load later is fetched meanwhile: it is named in the page, so that nothing waits for a question about it. */
function fetchedAhead(): Plugin {
  return {
    name: "fetched-ahead",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (_, { bundle = {} }) => Object.values(bundle)
        .filter((file) => file.type === "chunk" && !file.isEntry)
        .map((file) => ({ tag: "link", attrs: { rel: "modulepreload", href: `./${file.fileName}` }, injectTo: "head" as const })),
    },
  };
}

const target = process.env.VESTA_URL ?? "http://127.0.0.1:9090";

// One style sheet, and few scripts: what is seen first, the editor, the graphs.
export default defineConfig({
  // Relative, so that pages work under any route prefix and behind proxies that add one.
  base: "./",
  plugins: [filledIn(process.env.VESTA_ROLE ?? "server"), fetchedAhead()],
  server: { proxy: { "/api": target, "/-/": target } },
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: false,
    // The editor is most of it; `build.sh` watches the compressed size.
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      output: {
        entryFileNames: "assets/vesta-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/vesta-[hash][extname]",
      },
    },
  },
});
