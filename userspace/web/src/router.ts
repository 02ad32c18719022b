import { createRouter, createWebHistory } from 'vue-router'

declare module 'vue-router' {
  interface RouteMeta {
    /** Of the window. */
    title: string
  }
}

/** A link opens the same view again: what is shown is in the path and the query. */
export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: '/', redirect: '/ports' },
    { path: '/ports', component: () => import('./pages/ports/PortsPage.vue'), meta: { title: 'Ports' } },
    { path: '/ports/:port(.*)', component: () => import('./pages/ports/PortPage.vue'), props: true, meta: { title: 'Port' } },
    { path: '/flows', component: () => import('./pages/flows/FlowsPage.vue'), meta: { title: 'Flows' } },
    { path: '/flows/:id(new|\\d+)', component: () => import('./pages/flows/BuilderPage.vue'), props: true, meta: { title: 'Flow builder' } },
    { path: '/runs', component: () => import('./pages/runs/RunsPage.vue'), meta: { title: 'Runs' } },
    { path: '/runs/compare', component: () => import('./pages/runs/ComparePage.vue'), meta: { title: 'Compare runs' } },
    { path: '/runs/:id(\\d+)', component: () => import('./pages/runs/RunPage.vue'), props: true, meta: { title: 'Run' } },
    { path: '/tests', component: () => import('./pages/tests/TestsPage.vue'), meta: { title: 'Tests' } },
    { path: '/tests/new', component: () => import('./pages/tests/NewTestPage.vue'), meta: { title: 'New test' } },
    { path: '/tests/compare', component: () => import('./pages/tests/ComparePage.vue'), meta: { title: 'Compare tests' } },
    { path: '/tests/:id(\\d+)', component: () => import('./pages/tests/TestPage.vue'), props: true, meta: { title: 'Test' } },
    { path: '/captures', component: () => import('./pages/captures/CapturesPage.vue'), meta: { title: 'Captures' } },
    { path: '/:path(.*)', component: () => import('./pages/MissingPage.vue'), meta: { title: 'No such page' } },
  ],
})

router.afterEach((to) => {
  document.title = `${to.meta.title} · linerate`
})
