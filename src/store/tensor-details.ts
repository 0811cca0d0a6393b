/** What one tensor is made of, computed when its details are opened. */
import type { ErrorReport } from '../core/errors'
import type { TensorStatistics } from '../experiment/tensor-statistics'
import type { StoreContext } from './context'
import type { TensorRef } from './state'
import { tensorKey } from './tensor-rows'

export type TensorDetails =
  | { readonly kind: 'reading' }
  | { readonly kind: 'ready'; readonly statistics: TensorStatistics }
  | { readonly kind: 'failed'; readonly error: ErrorReport }

export interface TensorDetailActions {
  /** Opens the details of a tensor and computes them, or closes them. */
  toggleDetails(ref: TensorRef): void
}

export function createTensorDetailActions({ engine, get, patch }: StoreContext): TensorDetailActions {
  const put = (key: string, details: TensorDetails | null) => {
    const { [key]: _own, ...others } = get().source.details
    patch('source', { details: details === null ? others : { ...others, [key]: details } })
  }
  /** The computation that may still write, by key. */
  const going = new Map<string, string>()
  let started = 0
  return {
    toggleDetails: (ref) => {
      const key = tensorKey(ref)
      const before = going.get(key)
      going.delete(key)
      if (before !== undefined) void engine.cancelDescription(before)
      if (get().source.details[key]) return put(key, null)
      started += 1
      const id = `description-${started}`
      going.set(key, id)
      put(key, { kind: 'reading' })
      void engine.describeTensor(id, { fileId: ref.fileId, tensor: ref.tensor }).then((answer) => {
        if (going.get(key) !== id) return
        going.delete(key)
        put(key, answer.ok ? { kind: 'ready', statistics: answer.value } : { kind: 'failed', error: answer.error })
      })
    },
  }
}
