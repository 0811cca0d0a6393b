/** The worker's entry: exposes the engine to the page. With client.ts the only file that knows comlink. */
import * as Comlink from 'comlink'
import type { ActivationProfile } from '../experiment/result'
import { createEngine } from './engine'
import type { EngineApi, RunEvent } from './protocol'

const engine = createEngine({ gpu: () => navigator.gpu, now: () => performance.now() })

function buffersOf({ histogram, map, channelMax, channelRms }: ActivationProfile): ArrayBufferLike[] {
  return [histogram.counts, map.values, channelMax, channelRms].map((array) => array.buffer)
}

/** The event with the large arrays of a result marked for transfer: the worker keeps no use for them. */
function withTransfer(event: RunEvent): RunEvent {
  if (event.kind !== 'outcome' || event.outcome.kind !== 'result') return event
  return Comlink.transfer(event, [...new Set(buffersOf(event.outcome.profile))] as ArrayBuffer[])
}

/**
 * What passes events to the page, and what waits until they are there. Events travel on a port of their own and would be
 * overtaken by the answer to the call. The callback is a promise here, and its port keeps the order: when the last event
 * has arrived, all have.
 */
function inOrder<T>(onEvent: (event: T) => void) {
  let delivered: unknown
  return {
    forward: (event: T) => {
      delivered = onEvent(event)
    },
    delivered: async () => {
      await delivered
    },
  }
}

const exposed: EngineApi = {
  ...engine,
  run: async (runId, choice, request, onEvent) => {
    const { forward, delivered } = inOrder(onEvent)
    const end = await engine.run(runId, choice, request, (event) => forward(withTransfer(event)))
    await delivered()
    return end
  },
  runSweep: async (runId, choice, request, onEvent) => {
    const { forward, delivered } = inOrder(onEvent)
    const end = await engine.runSweep(runId, choice, request, forward)
    await delivered()
    return end
  },
}

Comlink.expose(exposed)
