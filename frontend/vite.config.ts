import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

// The manifest is read by django-vite; names carry a hash, so a browser may keep them for ever.
export default defineConfig({
  plugins: [tailwindcss()],
  base: "/static/dist/",
  publicDir: false,
  build: {
    outDir: "../src/usance/web/static/dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rollupOptions: { input: ["src/borrower.ts", "src/staff.ts"] },
  },
});
