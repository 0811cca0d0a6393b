import { createContext, useContext, useRef } from 'react'
import { useStore } from 'zustand'
import type { Actions, AppStore } from '../store/app-store'
import type { AppState } from '../store/state'
import type { Vocabulary } from '../store/vocabulary'

/** The page's store; set once by App. */
export const StoreContext = createContext<AppStore | null>(null)

function useAppStore(): AppStore {
  const store = useContext(StoreContext)
  if (!store) throw new Error('A component that reads the store is mounted outside App.')
  return store
}

/** Equal by value down to two levels, enough for lists of small models made anew by each selector call. */
function isSame(a: unknown, b: unknown, depth = 2): boolean {
  if (Object.is(a, b)) return true
  if (depth === 0 || typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false
  const [keys, others] = [Object.keys(a), Object.keys(b)]
  if (keys.length !== others.length || Array.isArray(a) !== Array.isArray(b)) return false
  return keys.every((key) => isSame(Reflect.get(a, key), Reflect.get(b, key), depth - 1))
}

/** A view of the state that notes which slices are read through it. */
function noting(state: AppState, read: Set<keyof AppState>): AppState {
  return new Proxy(state, {
    get: (target, key: keyof AppState) => {
      read.add(key)
      return target[key]
    },
  })
}

interface Answer<T> {
  readonly value: T
  readonly selector: unknown
  readonly state: AppState
  /** The slices it was made from. */
  readonly read: ReadonlySet<keyof AppState>
}

/**
 * What `selector`, which must be pure, makes of the state; keeps its identity while the value stays the same. It is asked
 * again only when a slice it has read has changed: the pointer changes the state many times a second, for a few readers.
 */
export function useApp<T>(selector: (state: AppState, vocabulary: Vocabulary) => T): T {
  const store = useAppStore()
  const last = useRef<Answer<T> | null>(null)
  return useStore(store, (state) => {
    const known = last.current
    if (known?.selector === selector && [...known.read].every((key) => known.state[key] === state[key])) {
      return known.value
    }
    const read = new Set<keyof AppState>()
    const value = selector(noting(state, read), store.vocabulary)
    const kept = known && isSame(known.value, value) ? known.value : value
    last.current = { value: kept, selector, state, read }
    return kept
  })
}

export function useActions(): Actions {
  return useAppStore().actions
}

export function useVocabulary(): Vocabulary {
  return useAppStore().vocabulary
}

/** Reads the state of the moment, for work that is done on a click rather than while drawing. */
export function useStateReader(): () => AppState {
  return useAppStore().getState
}
