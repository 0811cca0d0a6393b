import type { ErrorReport } from '../core/errors'
import { linkOf } from './link-actions'
import type { AppState } from './state'

/** What went wrong and under which settings, as text to copy. Holds no tensor names and no values. */
export function bugReport(state: AppState, error: Pick<ErrorReport, 'code' | 'message'>, userAgent: string): string {
  const { setup, heldOutShare, tokens, view } = linkOf(state)
  const { adapter } = state.device
  return JSON.stringify({ error, setup, heldOutShare, tokens, view, adapter, userAgent }, null, 2)
}
