import { NativeSelect, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import { findTensor, visibleFiles } from '../../store/selection'
import {
  kindCounts,
  moduleKey,
  searchRows,
  TENSOR_KINDS,
  type TensorKind,
  tensorLines,
  tensorRows,
} from '../../store/tensor-rows'
import { useApp } from '../use-app'
import { TensorLines } from './TensorLines'
import styles from './TensorList.module.css'

/** Shorter lists are read at a glance. */
const SEARCH_FROM = 8
/** In longer lists modules are closed at first, but for the one of the chosen weight. */
const CLOSED_FROM = 60

const KIND_LABELS: Readonly<Record<TensorKind, string>> = {
  weights: 'Weights',
  norms: 'Norms',
  activations: 'Activations',
  other: 'Other',
}

/** Every tensor of the files on screen as a tree of modules; those that can be a weight can be chosen. */
export function TensorList() {
  const files = useApp((state) => visibleFiles(state.source))
  const detailKeys = useApp((state) => Object.keys(state.source.details))
  const [search, setSearch] = useState('')
  const [kind, setKind] = useState<TensorKind | null>(null)
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set())
  const all = useMemo(() => tensorRows(files), [files])
  const counts = useMemo(() => kindCounts(all), [all])
  const shownKind = counts.some((each) => each.kind === kind) ? kind : null
  const chosenModule = useApp(({ source }) => {
    const chosen = findTensor(visibleFiles(source), source.weight)
    const row = chosen && all.find(({ fileId, tensor }) => fileId === chosen.fileId && tensor === chosen.tensor)
    return row ? moduleKey(row) : null
  })
  const lines = useMemo(() => {
    const rows = searchRows(all, search, shownKind)
    const startsClosed = rows.length > CLOSED_FROM
    const detailed = new Set(detailKeys)
    return tensorLines(rows, {
      files: files.length,
      isClosed: (key) => (startsClosed && key !== chosenModule) !== toggled.has(key),
      isDetailed: (key) => detailed.has(key),
    })
  }, [all, search, shownKind, files.length, toggled, chosenModule, detailKeys])
  if (all.length === 0) return null
  const toggle = (key: string) =>
    setToggled(new Set(toggled.has(key) ? [...toggled].filter((one) => one !== key) : [...toggled, key]))
  return (
    <>
      {all.length >= SEARCH_FROM && (
        <div className={styles.search}>
          <TextInput
            size="xs"
            aria-label="Search tensors"
            placeholder={`Search ${all.length.toLocaleString('en-US')} tensors`}
            data-test="tensor-search"
            aria-keyshortcuts="/"
            value={search}
            onChange={({ currentTarget }) => setSearch(currentTarget.value)}
          />
          {counts.length > 1 && (
            <NativeSelect
              size="xs"
              aria-label="Kind of tensors"
              data-test="tensor-kind"
              value={shownKind ?? ''}
              onChange={({ currentTarget: { value } }) => setKind(TENSOR_KINDS.find((one) => one === value) ?? null)}
              data={[
                { value: '', label: 'All kinds' },
                ...counts.map(({ kind: value, count }) => ({
                  value,
                  label: `${KIND_LABELS[value]} ${count.toLocaleString('en-US')}`,
                })),
              ]}
            />
          )}
        </div>
      )}
      {lines.length === 0 ? (
        <p className={styles.none}>No tensor is called that.</p>
      ) : (
        <TensorLines lines={lines} shortcut={all.length < SEARCH_FROM ? '/' : undefined} onToggle={toggle} />
      )}
    </>
  )
}
