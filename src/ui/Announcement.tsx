import { useEffect, useRef, useState } from 'react'
import styles from './Announcement.module.css'

/** At most this often, in ms: what comes sooner waits, and only the latest of it is said. */
const PAUSE = 1000

/** Said by a screen reader when it changes, once what it says at the moment has ended. Nothing of it is seen. */
export function Announcement({ text, hook }: { readonly text: string; readonly hook: string }) {
  return (
    <p className={styles.heard} role="status" data-test={hook}>
      {useEvenly(text)}
    </p>
  )
}

/** The latest `text`, but no two of them within a pause. */
function useEvenly(text: string): string {
  const [said, setSaid] = useState(text)
  const time = useRef(Number.NEGATIVE_INFINITY)
  useEffect(() => {
    if (text === said) return
    const wait = Math.max(0, time.current + PAUSE - performance.now())
    const timer = setTimeout(() => {
      time.current = performance.now()
      setSaid(text)
    }, wait)
    return () => clearTimeout(timer)
  }, [text, said])
  return said
}

const QUARTERS = 4

/** How far a long computation is, in quarters: every step would be too much to listen to. */
export function quarters(what: string, done: number, total: number): string {
  const share = total > 0 ? Math.floor((QUARTERS * done) / total) / QUARTERS : 0
  return `${what}: ${100 * share} %`
}
