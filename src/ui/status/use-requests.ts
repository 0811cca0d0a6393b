import { useEffect, useState } from 'react'
import { countRequests } from '../../store/request-count'
import { pageState } from '../../store/selectors'
import { useApp } from '../use-app'

export interface RequestCount {
  readonly total: number
  /** Those to other sites. */
  readonly elsewhere: number
}

/** Counts from the moment the first comparison is on screen: the page, its code and its layer are loaded by then. */
export function useRequests(): RequestCount {
  const loaded = useApp((state) => pageState(state) === 'ready' || pageState(state) === 'error')
  const [since, setSince] = useState(false)
  const [count, setCount] = useState<RequestCount>({ total: 0, elsewhere: 0 })
  useEffect(() => {
    if (loaded) setSince(true)
  }, [loaded])
  useEffect(() => (since ? countRequests((total, elsewhere) => setCount({ total, elsewhere })) : undefined), [since])
  return count
}

/** The count in words. */
export function requestsText({ total, elsewhere }: RequestCount): string {
  const where = total === 0 ? '' : `, ${elsewhere} to other sites`
  return `${total} ${total === 1 ? 'request' : 'requests'} since load${where}`
}
