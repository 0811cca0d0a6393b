import type { ErrorReport, Proposal } from '../core/errors'
import type { AppState } from './state'

/** What a banner offers besides its text. */
export type BannerAction = 'advice' | 'start-again' | 'report' | 'none' | Proposal

export interface Banner {
  readonly code: string
  readonly title: string
  readonly message: string
  readonly action: BannerAction
}

const OUT_OF_MEMORY = 'GP-03'
const LOST = 'GP-04'

/** Everything that stands in the way, the device first. None of it removes a result from the screen. */
export function banners({ device, run }: AppState): readonly Banner[] {
  const shown: Banner[] = []
  if (device.status === 'unavailable' && device.error) shown.push(deviceBanner(device.error))
  if (device.status === 'lost' && device.error) {
    const { code, message } = device.error
    const title = 'The browser took the GPU back. Results on screen are complete.'
    shown.push({ code, title, message, action: 'start-again' })
  }
  if (device.recovered) {
    const title = 'The browser took the GPU back; it was started again.'
    const message = 'Results on screen are complete, missing ones are computed now.'
    shown.push({ code: LOST, title, message, action: 'none' })
  }
  // A lost device ends the run as well; said once is enough.
  if (run.end?.kind === 'failed' && device.status !== 'lost' && run.end.error.code !== LOST) {
    shown.push(runBanner(run.end.error))
  }
  return shown
}

function deviceBanner({ kind, code, message }: ErrorReport): Banner {
  if (kind === 'unsupported') {
    const title =
      code === 'GP-00'
        ? 'This browser has no WebGPU, so nothing can be computed here.'
        : 'The browser has WebGPU but offers no GPU adapter, so nothing can be computed here.'
    return { code, title, message, action: 'advice' }
  }
  return { code, title: 'The GPU could not be started.', message, action: 'start-again' }
}

function runBanner({ kind, code, message, proposal }: ErrorReport): Banner {
  if (code === OUT_OF_MEMORY) {
    const title = 'The GPU has not enough memory for this layer. Lower the number of tokens or methods.'
    return { code, title, message, action: proposal ?? 'none' }
  }
  if (kind === 'bug') return { code, title: 'Something broke in MXScope.', message, action: 'report' }
  if (kind === 'gpu') return { code, title: 'The GPU refused a command.', message, action: 'start-again' }
  return { code, title: 'This layer cannot be compared as chosen.', message, action: 'none' }
}
