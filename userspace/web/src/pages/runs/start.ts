//! How a run is started, wherever: what is asked, and what the daemon refused of it.

import { computed, reactive, ref, shallowRef } from 'vue'
import { useRouter } from 'vue-router'
import { api, data, Problem, type Backend, type RunBody } from '@/api/client'

/** What one can say of any run. */
export interface Options {
  /** How long every flow lasts; empty: as each says. */
  lasting: string
  /** Of every rate; empty: all of it. */
  scale: string
  backend: Backend
}

/** A start, and the way to the run. */
export function useStart() {
  const router = useRouter()
  const options = reactive<Options>({ lasting: '', scale: '', backend: 'auto' })
  const busy = ref(false)
  const problem = shallowRef<Problem>()
  const at = (field: string) => (problem.value?.field === field ? problem.value.message : undefined)
  /** At the fields of the options. */
  const wrong = computed(() => ({ lasting: at('for'), scale: at('scale') }))
  /** What belongs to none of them. */
  const elsewhere = computed(() => (wrong.value.lasting || wrong.value.scale ? undefined : problem.value))

  /** Starts the run and opens its page; `false`: refused, and `problem` says why. */
  async function start(body: RunBody): Promise<boolean> {
    busy.value = true
    problem.value = undefined
    const [lasting, scale] = [options.lasting.trim(), options.scale.trim()]
    const asked = { ...body, backend: options.backend, ...(lasting && { for: lasting }), ...(scale && { scale }) }
    try {
      const run = await data(api.POST('/api/v1/runs', { body: asked }))
      await router.push(`/runs/${run.id}`)
      return true
    } catch (error) {
      problem.value = Problem.from(error)
      return false
    } finally {
      busy.value = false
    }
  }
  return { options, busy, problem, wrong, elsewhere, start }
}
