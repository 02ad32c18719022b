import { createApp } from 'vue'
import App from './App.vue'
import { live } from './api/live'
import { router } from './router'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'

createApp(App).use(router).mount('#app')
live.start()
