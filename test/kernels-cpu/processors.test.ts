// The number of threads by default: what the operating system lets this process use.

import { expect, test } from 'vitest';
import { cgroupQuota } from '../../packages/kernels-cpu/src/tiers/processors.ts';

const quotaOf = (files: Readonly<Record<string, string>>) => cgroupQuota((path) => files[path]);

test('version 2: the least of a group and those around it; "max" is none', () => {
  const files = {
    '/proc/self/cgroup': '0::/work/job\n',
    '/sys/fs/cgroup/work/job/cpu.max': 'max 100000\n',
    '/sys/fs/cgroup/work/cpu.max': '250000 100000\n',
  };
  expect(quotaOf(files)).toBe(2.5);
  expect(quotaOf({ ...files, '/sys/fs/cgroup/work/job/cpu.max': '50000 100000\n' })).toBe(0.5);
  expect(quotaOf({ ...files, '/sys/fs/cgroup/work/cpu.max': 'max 100000\n' })).toBe(Infinity);
});

test('version 2 in a container that sees its own group as the root', () => {
  expect(quotaOf({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '150000 50000\n' })).toBe(3);
});

test('version 1: quota and period in files of their own; −1 is none', () => {
  const files = {
    '/proc/self/cgroup': '7:memory:/docker/ab\n4:cpu,cpuacct:/docker/ab\n1:name=systemd:/docker/ab\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '200000\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
  };
  expect(quotaOf(files)).toBe(2);
  expect(quotaOf({ ...files, '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n' })).toBe(Infinity);
});

test('without control groups, or with files that are none of these, there is no limit', () => {
  expect(quotaOf({})).toBe(Infinity);
  expect(quotaOf({ '/proc/self/cgroup': 'nonsense', '/sys/fs/cgroup/cpu.max': '' })).toBe(Infinity);
  expect(quotaOf({ '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/cpu.max': '' })).toBe(Infinity);
});
