/**
 * At most one live 3-D scene on the page: each takes one of the 8 to 16 WebGL contexts a browser keeps, and browsers
 * drop the oldest without a word.
 */
let takeAway: (() => void) | null = null

/** Takes the scene; whoever had it is told through its own `onLost`. The answer gives it back. */
export function claimLiveScene(onLost: () => void): () => void {
  takeAway?.()
  takeAway = onLost
  return () => {
    if (takeAway === onLost) takeAway = null
  }
}

let supported: boolean | null = null

/** Whether this browser gives WebGL at all. Asked once; the probe's context is let go at once. */
export function hasWebGl(): boolean {
  if (supported === null) {
    const context = document.createElement('canvas').getContext('webgl')
    supported = context !== null
    context?.getExtension('WEBGL_lose_context')?.loseContext()
  }
  return supported
}
