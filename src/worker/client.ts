/** The page's side of the engine worker. With worker.ts the only file that knows comlink. */
import * as Comlink from 'comlink'
import { type EngineApi, REMOTE_REQUEST, type WorkerApi } from './protocol'
import remoteUrl from './remote?worker&url'
import workerUrl from './worker?worker&url'

/**
 * Starts the engine worker. A worker loaded from an address does not inherit the Content-Security-Policy written in
 * the page; one started from a blob that only imports that address does, so this line keeps the privacy promise.
 */
function startWorker(): Worker {
  const address = new URL(workerUrl, document.baseURI).href
  const bootstrap = URL.createObjectURL(new Blob([`import ${JSON.stringify(address)}`], { type: 'text/javascript' }))
  return new Worker(bootstrap, { type: 'module', name: 'engine' })
}

/**
 * Starts the worker that asks other servers, and gives it one end of a channel; returns the other. It is loaded from its
 * address, so that the policy of the page does not reach it: it is told addresses and byte ranges, and no file.
 */
function startNetwork(): MessagePort {
  const { port1, port2 } = new MessageChannel()
  const worker = new Worker(new URL(remoteUrl, document.baseURI), { type: 'module', name: 'network' })
  worker.onmessage = ({ data }: MessageEvent<string>) => {
    document.dispatchEvent(new CustomEvent(REMOTE_REQUEST, { detail: data }))
  }
  worker.postMessage(null, [port1])
  return port2
}

/**
 * An engine in a worker of its own. One run at a time: starting one cancels the one before, whose late events are
 * dropped here. Cancelled runs end with `{kind: 'cancelled'}`; nothing is thrown.
 */
export function createEngineClient(): EngineApi {
  const remote = Comlink.wrap<WorkerApi>(startWorker())
  let network: Promise<void> | null = null
  /** Not before something is opened from a server. */
  const connected = () => {
    if (network) return network
    const port = startNetwork()
    network = remote.connectNetwork(Comlink.transfer(port, [port]))
    return network
  }
  let currentRun: string | null = null
  /** `onEvent` for as long as `runId` is the run that goes on. */
  const whileCurrent = <T>(runId: string, onEvent: (event: T) => void) => {
    currentRun = runId
    return Comlink.proxy((event: T) => {
      if (currentRun === runId) onEvent(event)
    })
  }
  return {
    openDevice: () => remote.openDevice(),
    openFile: (file) => remote.openFile(file),
    openUrl: async (openingId, url, onProgress, token) => {
      await connected()
      return remote.openUrl(openingId, url, Comlink.proxy(onProgress), token)
    },
    listRepository: async (openingId, text, token) => {
      await connected()
      return remote.listRepository(openingId, text, token)
    },
    cancelOpening: (openingId) => remote.cancelOpening(openingId),
    joinFiles: (fileIds) => remote.joinFiles(fileIds),
    closeFile: (fileId) => remote.closeFile(fileId),
    onReading: (callback) => remote.onReading(Comlink.proxy(callback)),
    run: (runId, choice, request, onEvent) => remote.run(runId, choice, request, whileCurrent(runId, onEvent)),
    runSweep: (runId, choice, request, onEvent) =>
      remote.runSweep(runId, choice, request, whileCurrent(runId, onEvent)),
    runProfiles: (runId, choice, request, onEvent) =>
      remote.runProfiles(runId, choice, request, whileCurrent(runId, onEvent)),
    runOutlierStudy: (runId, request, onEvent) => remote.runOutlierStudy(runId, request, whileCurrent(runId, onEvent)),
    runBench: (runId, host, onEvent) => remote.runBench(runId, host, whileCurrent(runId, onEvent)),
    runExplanation: (runId, choice, query, onEvent) =>
      remote.runExplanation(runId, choice, query, whileCurrent(runId, onEvent)),
    exportLayer: (runId, choice, request, onEvent) =>
      remote.exportLayer(runId, choice, request, whileCurrent(runId, onEvent)),
    cancel: (runId) => {
      if (currentRun === runId) currentRun = null
      return remote.cancel(runId)
    },
    mapBlocks: (choice, query) => remote.mapBlocks(choice, query),
    readRow: (choice, query) => remote.readRow(choice, query),
    describeTensor: (descriptionId, tensor) => remote.describeTensor(descriptionId, tensor),
    cancelDescription: (descriptionId) => remote.cancelDescription(descriptionId),
    explainRotation: (choice, query) => remote.explainRotation(choice, query),
    onDeviceLost: (callback) => remote.onDeviceLost(Comlink.proxy(callback)),
    loseDevice: () => remote.loseDevice(),
  }
}
