import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const daemon = process.env.LINERATE_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  build: {
    target: 'es2022',
    // What an asset holds is a request of its own: the policy of the page allows no data: scripts or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // The daemon lets only pages of its own change anything: its origin is put in the place of this server's.
  server: { proxy: { '/api': { target: daemon, changeOrigin: true, headers: { origin: daemon } } } },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
})
