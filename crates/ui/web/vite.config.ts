import { defineConfig } from "vite";

// One script and one style sheet: a page is there after three requests, and the binary stays small.
export default defineConfig({
  // Relative, so that pages work under any route prefix and behind proxies that add one.
  base: "./",
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
        assetFileNames: "assets/vesta-[hash][extname]",
      },
    },
  },
});
