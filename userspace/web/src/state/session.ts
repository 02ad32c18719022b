//! Who we are to the daemon: the token of this tab.

import { reactive } from 'vue'

const KEY = 'linerate-token'

/** Kept for this tab only; a cookie would go to every port of the host. */
export const session = reactive({
  token: sessionStorage.getItem(KEY) ?? '',
  /** The daemon asked for a token that we do not have, or did not take ours. */
  refused: false,

  refuse() {
    this.refused = true
  },

  enter(token: string) {
    this.token = token
    this.refused = false
    sessionStorage.setItem(KEY, token)
  },

  leave() {
    this.token = ''
    this.refused = true
    sessionStorage.removeItem(KEY)
  },
})
