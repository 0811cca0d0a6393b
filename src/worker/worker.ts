/** The worker's entry: exposes the engine to the page. With client.ts the only file that knows comlink. */
import * as Comlink from 'comlink'
import type { ExportEvent } from '../experiment/export-request'
import type { ProfileEvent } from '../experiment/profile-request'
import type { ActivationProfile } from '../experiment/result'
import { createEngine } from './engine'
import type { RunEvent, WorkerApi } from './protocol'
import { createPortFetch } from './remote-fetch'
import { createTuningMemory } from './tuning-memory'

/** The page's policy refuses requests to other servers here; another worker makes them. */
let remoteFetch: typeof fetch = fetch

const engine = createEngine({
  gpu: () => navigator.gpu,
  now: () => performance.now(),
  tuning: createTuningMemory(),
  network: { fetch: (input, init) => remoteFetch(input, init), corsApplies: true },
})

function buffersOf({ histogram, map, channelMax, channelRms }: ActivationProfile): ArrayBufferLike[] {
  return [histogram.counts, map.values, channelMax, channelRms].map((array) => array.buffer)
}

/** The event with the large arrays of a result marked for transfer: the worker keeps no use for them. */
function withTransfer(event: RunEvent): RunEvent {
  if (event.kind !== 'outcome' || event.outcome.kind !== 'result') return event
  return Comlink.transfer(event, [...new Set(buffersOf(event.outcome.profile))] as ArrayBuffer[])
}

/** The same for profiles on request. */
function withProfiles(event: ProfileEvent): ProfileEvent {
  if (event.kind !== 'loaded' && event.kind !== 'profiled') return event
  const profiles = Object.values(event.profiles).flatMap((stages) => Object.values(stages ?? {}))
  return Comlink.transfer(event, [...new Set(profiles.flatMap(buffersOf))] as ArrayBuffer[])
}

/** The same for the bytes of an exported file. */
function withFile(event: ExportEvent): ExportEvent {
  return event.kind === 'exported' ? Comlink.transfer(event, [event.exported.file.buffer]) : event
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

const exposed: WorkerApi = {
  ...engine,
  connectNetwork: async (port) => {
    remoteFetch = createPortFetch(port)
  },
  run: async (runId, choice, request, onEvent) => {
    const { forward, delivered } = inOrder(onEvent)
    const end = await engine.run(runId, choice, request, (event) => forward(withTransfer(event)))
    await delivered()
    return end
  },
  exportLayer: async (runId, choice, request, onEvent) => {
    const { forward, delivered } = inOrder(onEvent)
    const end = await engine.exportLayer(runId, choice, request, (event) => forward(withFile(event)))
    await delivered()
    return end
  },
  runExplanation: async (runId, choice, query, onEvent) => {
    const { forward, delivered } = inOrder(onEvent)
    const end = await engine.runExplanation(runId, choice, query, forward)
    await delivered()
    return end
  },
  runBench: async (runId, host, onEvent) => {
    const { forward, delivered } = inOrder(onEvent)
    const end = await engine.runBench(runId, host, forward)
    await delivered()
    return end
  },
  runOutlierStudy: async (runId, request, onEvent) => {
    const { forward, delivered } = inOrder(onEvent)
    const end = await engine.runOutlierStudy(runId, request, forward)
    await delivered()
    return end
  },
  runSweep: async (runId, choice, request, onEvent) => {
    const { forward, delivered } = inOrder(onEvent)
    const end = await engine.runSweep(runId, choice, request, forward)
    await delivered()
    return end
  },
  runProfiles: async (runId, choice, request, onEvent) => {
    const { forward, delivered } = inOrder(onEvent)
    const end = await engine.runProfiles(runId, choice, request, (event) => forward(withProfiles(event)))
    await delivered()
    return end
  },
}

Comlink.expose(exposed)
