import { type ComponentType, useEffect, useState } from 'react'

/** A component whose code is not part of the shell. */
export interface Deferred<Props> {
  /** Fetches the code; called again after a failure, it tries again. */
  readonly load: () => Promise<ComponentType<Props>>
  /** Draws it, or an empty box of class `room` for as long as its code is on the way. */
  readonly Component: ComponentType<Props & { readonly room?: string }>
}

/**
 * Like React's `lazy`, but what has been loaded ahead is there in the first drawing: no flash of a fallback, which React
 * keeps for 300 ms.
 */
export function deferred<Props extends object>(fetchIt: () => Promise<ComponentType<Props>>): Deferred<Props> {
  let loaded: ComponentType<Props> | null = null
  let loading: Promise<ComponentType<Props>> | null = null
  const load = () => {
    loading ??= fetchIt().then(
      (component) => {
        loaded = component
        return component
      },
      (error: unknown) => {
        loading = null
        throw error
      },
    )
    return loading
  }
  function Component({ room, ...props }: Props & { readonly room?: string }) {
    const [Found, setFound] = useState(() => loaded)
    const [failed, setFailed] = useState(false)
    useEffect(() => {
      if (Found) return
      let gone = false
      load().then(
        (component) => !gone && setFound(() => component),
        () => !gone && setFailed(true),
      )
      return () => {
        gone = true
      }
    }, [Found])
    if (failed) return <p role="alert">This part of the page could not be loaded. Reload to try again.</p>
    return Found ? <Found {...(props as unknown as Props)} /> : <div className={room} aria-busy />
  }
  return { load, Component }
}
